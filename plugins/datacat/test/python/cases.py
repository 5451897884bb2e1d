# -*- coding: utf-8 -*-
"""What programs do with the Python client: one function a case, run as `cases.py NAME` against DATACAT_URL.

DATACAT_WAYS names addresses of the server behind faults, DATACAT_FOLDER is an empty folder.
"""
from __future__ import print_function

import datetime
import decimal
import json
import logging
import multiprocessing
import os
import signal
import socket
import subprocess
import sys
import time

HERE = os.path.dirname(os.path.abspath(__file__))
sys.dont_write_bytecode = True
sys.path.insert(0, os.path.join(HERE, "..", "..", "clients", "python"))

import datacat

try:
    from urllib.request import urlopen
except ImportError:
    from urllib2 import urlopen

URL = os.environ["DATACAT_URL"]
WAYS = json.loads(os.environ.get("DATACAT_WAYS", "{}"))
FOLDER = os.environ.get("DATACAT_FOLDER", "")
AWAY = "http://127.0.0.1:9"


def read(session_id, rest="?limit=1000", verb="/events"):
    response = urlopen(URL + "/v1/datacat/sessions/" + session_id + verb + rest, timeout=20)
    return json.loads(response.read().decode("utf-8"))


def events(session_id):
    return read(session_id)["events"]


def names(session_id):
    return [event["name"] for event in events(session_id)]


def equal(seen, wanted):
    assert seen == wanted, "%r is not %r" % (seen, wanted)


def counts(client):
    return dict((name, count) for name, count in client.stats().items() if count and name != "last_error")


def new(**options):
    return datacat.create_session(URL, **options)


def in_child(code, expected=0):
    """A program of its own; it sees the client as `datacat` and the session's id as `ID`."""
    session = new()
    head = "import sys; sys.path.insert(0, %r); import os, signal, time, datacat; ID = %r; URL = %r\n" % (
        os.path.dirname(datacat.__file__), session.session_id, URL)
    child = subprocess.Popen([sys.executable, "-c", head + code], stderr=subprocess.PIPE)
    words = child.communicate()[1].decode("utf-8", "replace")
    equal((child.returncode, words if child.returncode != expected else ""), (expected, ""))
    return names(session.session_id), words


def array_of_70000_numbers():
    session = new(batch=True)
    for value in (1, 2):
        session.update_state({"heat": [value] * 70000})
    session.log_event("after")
    assert session.flush(20)
    equal(names(session.session_id), ["after"])


def body_of_5_mb():
    session = new(batch=True)
    equal(session.update_state({"big": "x" * 5000000}), {"status": "rejected"})
    session.log_event("after")
    assert session.flush(10)
    equal((names(session.session_id), counts(session.client)), (["after"], {"sent": 1, "rejected": 1}))
    try:
        new().update_state({"big": "x" * 5000000})
    except datacat.DatacatError as error:
        equal(error.status, 413)
    else:
        raise AssertionError("5 MB were taken")


def plain_write_behind_a_gateway():
    for fault in ("stored, 504", "stored, 502", "stored, connection closed", "stored, half an answer"):
        session = new()
        behind = datacat.Session(datacat.DatacatClient(WAYS[fault]), session.session_id)
        behind.log_event("paid", {"id": 1})
        behind.log_metric("total", 1)
        behind.update_state({"a": 1})
        whole = session.get_session()
        equal(([one["name"] for one in whole["events"]], [one["value"] for one in whole["metrics"]]), (["paid"], [1]))
    created = datacat.DatacatClient(WAYS["stored, 504, again"]).register_session()
    equal(datacat.DatacatClient(URL).get_session(created)["id"], created)


def foreign_answers_keep_the_folder():
    session = new()
    for number, fault in enumerate(("200, JSON of another", "200, another's health", "401", "404 of a proxy")):
        before = datacat.DatacatClient(AWAY, offline_dir=FOLDER, retries=0, flush_interval=0.05)
        before.log_event(session.session_id, "kept%d" % number)
        before.close(0.5)
        client = datacat.DatacatClient(WAYS[fault], offline_dir=FOLDER, token="expired")
        equal((client.flush(0.7), counts(client)), (False, {"stored": number + 1}))
        assert client.stats()["last_error"], fault
        client.close(0.1)
    last = datacat.DatacatClient(URL, offline_dir=FOLDER)
    assert last.flush(10)
    equal(names(session.session_id), ["kept0", "kept1", "kept2", "kept3"])
    try:
        datacat.create_session(WAYS["200, JSON of another"], product="p", retries=0)
    except datacat.DatacatError as error:
        assert "no answer of datacat" in str(error), error
    else:
        raise AssertionError("an answer of somebody else opened a session")


def redirects_stay_posts():
    for fault in ("301 to the server", "302 to the server", "307 to the server"):
        session = datacat.create_session(WAYS[fault], product="p", batch=True, retries=0)
        session.log_event("x")
        assert session.flush(10), session.stats()
        equal(names(session.session_id), ["x"])


def _task(number):
    SHARED.log_event("task%d" % number)


def _tasks(count):
    pool = multiprocessing.Pool(2)
    pool.map(_task, range(count))
    pool.close()
    pool.join()


def pool_workers_and_processes():
    global SHARED
    SHARED = new(batch=True)
    if sys.version_info[0] > 2:
        multiprocessing.set_start_method("fork")
    SHARED.log_event("parent")
    _tasks(6)
    process = multiprocessing.Process(target=_task, args=(9,))
    process.start()
    process.join()
    assert SHARED.flush(10)
    equal(sorted(names(SHARED.session_id)), ["parent"] + ["task%d" % n for n in (0, 1, 2, 3, 4, 5, 9)])


def terminated_with_words_queued():
    seen, _ = in_child(
        "c = datacat.DatacatClient(URL, flush_interval=60)\n"
        "c.log_event(ID, 'last words', buffered=True)\n"
        "os.kill(os.getpid(), signal.SIGTERM)\ntime.sleep(30)", -signal.SIGTERM)
    equal(seen, ["last words"])
    seen, _ = in_child(
        "signal.signal(signal.SIGTERM, lambda *_: sys.exit(7))\n"
        "c = datacat.DatacatClient(URL, flush_interval=60)\n"
        "c.log_event(ID, 'own handler', buffered=True)\n"
        "os.kill(os.getpid(), signal.SIGTERM)\ntime.sleep(30)", 7)
    equal(seen, ["own handler"])


def uncaught_exception_with_words_queued():
    seen, words = in_child(
        "c = datacat.DatacatClient(URL, flush_interval=60)\n"
        "c.log_event(ID, 'last words', buffered=True)\nraise KeyError('end')", 1)
    equal(seen, ["last words"])
    assert "KeyError" in words


def exit_with_four_clients_and_no_server():
    started = time.time()
    seen, words = in_child(
        "for _ in range(4): datacat.DatacatClient('http://127.0.0.1:9').log_event(ID, 'x', buffered=True)")
    took = time.time() - started
    assert took < 9, "%.1f s" % took
    assert sys.version_info[0] == 2 or words.count("were not delivered") == 4, words


def long_and_odd_exceptions():
    session = new(batch=True)

    def fail():
        raise ValueError(u"\u044f" * 100000)
    try:
        try:
            fail()
        except ValueError:
            raise KeyError("line\n" * 300 + "\x00")
    except KeyError:
        session.log_exception(extra_data={
            "when": datetime.datetime(2026, 1, 2), "price": decimal.Decimal("1.5"), "raw": b"\xff", "nan": float("nan"),
            "set": {1}, 5: object()})
    circle = {}
    circle["self"] = circle
    equal(session.log_exception(ValueError("given"), extra_data=circle)["status"], "queued")
    assert session.flush(10)
    equal(counts(session.client), {"sent": 2})
    first = events(session.session_id)[0]
    stack = "".join(first["exception"]["stacktrace"])
    equal((first["exception"]["type"], first["data"]["price"], first["data"]["nan"]), ("KeyError", "1.5", "nan"))
    equal(first["data"]["when"], "2026-01-02T00:00:00")
    assert "KeyError" in stack and "cases.py" in stack and len(stack) < 160000, len(stack)
    if sys.version_info[0] > 2:
        assert "in fail" in stack and "100" in stack and "characters)" in stack, stack[:500]


def nothing_breaks_the_program():
    logging.getLogger("datacat").addHandler(logging.StreamHandler(sys.stdout))
    away = datacat.Session(datacat.DatacatClient(AWAY, retries=0), "11111111-1111-4111-8111-111111111111")
    try:
        with away.timer("job"):
            raise KeyError("real problem")
    except KeyError as error:
        equal(str(error), "'real problem'")
    try:
        raise KeyError("real problem")
    except KeyError:
        equal(away.log_exception(), {"status": "failed"})
    try:
        with away:
            raise KeyError("real problem")
    except KeyError as error:
        equal(str(error), "'real problem'")


def tags_times_and_with():
    with new(batch=True) as session:
        session.log_metric("m", 1, tags="host:a")
        session.log_metric("m", 1, tags={"host": "a", "b": 2})
        session.log_histogram("h", 1, tags="host:a")
        naive = datetime.datetime(2026, 1, 2, 3, 4, 5, 678000)
        session.log_event("naive", timestamp=naive)
    whole = session.get_session()
    equal([one.get("tags") for one in whole["metrics"]], [["host:a"], ["b:2", "host:a"], ["host:a"]])
    equal(whole["active"], False)
    local = time.mktime(naive.timetuple()) + 0.678
    seen = events(session.session_id)[0]["timestamp"]
    equal(seen, datetime.datetime.utcfromtimestamp(local).strftime("%Y-%m-%dT%H:%M:%S.") + "678Z")
    try:
        with new() as broken:
            raise KeyError("in the block")
    except KeyError:
        equal((names(broken.session_id), broken.get_session()["active"]), (["exception"], False))


def beat_then_end():
    session = new()
    session.start_heartbeat_monitor(timeout=1, check_interval=0.2)
    deadline = time.time() + 20
    while "application_appears_hung" not in names(session.session_id):
        assert time.time() < deadline
        time.sleep(0.1)
    session.heartbeat()
    session.end()
    equal(names(session.session_id), ["application_appears_hung", "application_recovered"])


def fork_and_heartbeat():
    session = new()
    session.start_heartbeat_monitor(timeout=2, check_interval=0.3, crashed_after=4)
    time.sleep(0.3)
    child = os.fork()
    if child == 0:
        for _ in range(25):
            session.heartbeat()
            time.sleep(0.2)
        session.suspend()
        os._exit(0)
    equal(os.waitpid(child, 0)[1], 0)
    equal(names(session.session_id), ["session_suspended"])
    slow = datacat.Session(datacat.DatacatClient(WAYS["answer after 300 ms"]), session.session_id)
    for _ in range(3):
        slow.start_heartbeat_monitor(timeout=6, check_interval=0.1)
        time.sleep(0.1)
        child = os.fork()
        if child == 0:
            signal.alarm(8)
            slow.suspend()
            os._exit(0)
        equal(os.waitpid(child, 0)[1], 0)


def folder_of_20000_files():
    record = datacat._Record.batch("11111111-1111-4111-8111-111111111111", [("events", '{"name":"x"}')])
    for number in range(20000):
        with open("%s/%017d-abcdef01-1.batch" % (FOLDER, number), "w") as file:
            file.write(record.dump())
    queue = datacat._DiskQueue(FOLDER, 64 << 20)
    looked, listdir = [], os.listdir
    os.listdir = lambda folder: looked.append(folder) or listdir(folder)
    for _ in range(50):
        queue.append(record)
    os.listdir = listdir
    equal((len(looked), queue.items), (1, 20050))
    small = datacat._DiskQueue(FOLDER, 1000)
    try:
        small.append(record)
    except IOError as error:
        assert "holds" in str(error)
    else:
        raise AssertionError("a full folder took more")


def files_nobody_can_read():
    session = new()
    bodies = ("[]", "", "[1", '{"session_id": 5, "body": "[]", "items": 1, "key": "k"}',
              '{"session_id": "a", "items": 1}')
    for number, text in enumerate(bodies):
        with open(os.path.join(FOLDER, "%017d-0dcca21a-1.batch" % number), "w") as file:
            file.write(text)
    os.mkdir(os.path.join(FOLDER, "%017d-0dcca21a-1.batch" % 9))
    client = datacat.DatacatClient(URL, offline_dir=FOLDER)
    client.log_event(session.session_id, "after")
    assert client.flush(10), client.stats()
    equal((names(session.session_id), client.stats()["corrupt"]), (["after"], 6))
    left = sorted(os.listdir(FOLDER))
    equal([name for name in left if not name.endswith(".broken")], ["%017d-0dcca21a-1.batch" % 9])
    equal(len(left), 6)


def wrong_clock():
    real, time.time = time.time, lambda: 100.0
    session = new(batch=True, product="x")
    for _ in range(50):
        session.log_event("e")
    time.time = real
    assert session.flush(20)
    equal((len(events(session.session_id)), counts(session.client)), (50, {"sent": 50}))


def proxies_of_the_environment():
    os.environ["http_proxy"] = "http://user:secret@127.0.0.1:9"
    equal(new().get_session()["events"], [])
    try:
        datacat.create_session("http://datacat.invalid", retries=0)
    except datacat.DatacatError as error:
        assert "127.0.0.1:9" in str(error) and "secret" not in str(error), error


def interpreter_that_ends():
    seen, _ = in_child(
        "import atexit\nc = datacat.DatacatClient(URL)\n"
        "class Late(object):\n    def __del__(self): c.log_event(ID, 'late', buffered=True)\nlate = Late()\n"
        "c.log_event(ID, 'early', buffered=True)")
    equal(seen, ["early"])


if __name__ == "__main__":
    socket.setdefaulttimeout(60)
    globals()[sys.argv[1]]()
    print("done")
