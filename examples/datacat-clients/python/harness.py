"""What the script of the Python client talks to: whoever runs it, and the server's plain HTTP interface."""
from __future__ import print_function

import json
import os
import sys
import threading
import time
import types

HERE = os.path.dirname(os.path.abspath(__file__))
sys.dont_write_bytecode = True
sys.path.insert(0, os.path.join(HERE, "..", "..", "..", "plugins", "datacat", "clients", "python"))

import datacat

try:
    from urllib.request import urlopen
except ImportError:
    from urllib2 import urlopen

URL = os.environ["DATACAT_URL"].rstrip("/")
OFFLINE = os.environ["DATACAT_OFFLINE"]

called = set()
inside = threading.local()


def say(**line):
    print(json.dumps(line))
    sys.stdout.flush()


def please(what):
    say(please=what)
    if not sys.stdin.readline():
        raise AssertionError("nobody answered the request to %s the server" % what)


def expect(condition, *seen):
    if not condition:
        raise AssertionError(" ".join(repr(one) for one in seen) or "not as expected")


def equal(seen, wanted):
    expect(seen == wanted, seen, "is not", wanted)


def traced(name, function):
    def call(*arguments, **fields):
        in_main = threading.current_thread().name == "MainThread"
        outermost = in_main and not getattr(inside, "call", False)
        if not outermost:
            return function(*arguments, **fields)
        called.add(name)
        inside.call = True
        try:
            return function(*arguments, **fields)
        finally:
            inside.call = False
    return call


def trace_public_names():
    """Has every public call noted when this script makes it; returns the names there are, found by introspection."""
    names = set()
    for name in datacat.__all__:
        thing = getattr(datacat, name)
        if not isinstance(thing, type):
            names.add(name)
            setattr(datacat, name, traced(name, thing))
            continue
        for verb in dir(thing):
            function = getattr(getattr(thing, verb), "__func__", getattr(thing, verb))
            if verb.startswith("_") or not isinstance(function, types.FunctionType):
                continue
            if function.__module__ != "datacat":
                continue
            names.add(name + "." + verb)
            wrapped = traced(name + "." + verb, function)
            setattr(thing, verb, wrapped)
    return names


def read(path):
    response = urlopen(URL + path, timeout=10)
    try:
        return json.loads(response.read().decode("utf-8"))
    finally:
        response.close()


def events(session_id):
    return read("/v1/datacat/sessions/%s/events?limit=1000" % session_id)["events"]


def points(session_id, name):
    found, after = [], None
    while True:
        rest = "" if after is None else "&after=%s" % after
        page = read("/v1/datacat/sessions/%s/points?name=%s&limit=1000%s" % (session_id, name, rest))
        found += page["points"]
        after = page["next_after"]
        if after is None:
            return found


def names(session_id, prefix):
    return [event["name"] for event in events(session_id) if event["name"].startswith(prefix)]


def wait_for(check, seconds, what):
    deadline = time.time() + seconds
    while not check():
        expect(time.time() < deadline, "waited %d s for %s" % (seconds, what))
        time.sleep(0.1)


def fails(call, *arguments):
    try:
        call(*arguments)
    except datacat.DatacatError as error:
        return error
    raise AssertionError("no error")
