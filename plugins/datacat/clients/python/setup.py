from setuptools import setup

setup(
    name="datacat",
    version="2.0.0",
    description="Client of the datacat session log: sessions, state, events, metrics and heartbeats over HTTP.",
    license="MIT",
    py_modules=["datacat"],
    python_requires=">=2.7,!=3.0.*,!=3.1.*,!=3.2.*,!=3.3.*,!=3.4.*,!=3.5.*",
)
