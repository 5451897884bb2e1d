"""Makes every public call of the Python client against a running server and checks what came back.

Reads the address from DATACAT_URL and an empty folder from DATACAT_OFFLINE, prints one JSON line a step, and
asks for the server to be stopped and started with {"please": "stop"} and {"please": "start"} lines, each
answered by one line on stdin.
"""
from __future__ import print_function

import logging
import os
import socket
import sys
import time

from harness import (
    datacat,
    called,
    equal,
    events,
    expect,
    fails,
    names,
    OFFLINE,
    please,
    points,
    read,
    say,
    trace_public_names,
    URL,
    wait_for
)

BATCH_ITEMS = 1200


def plain_calls(client):
    session_id = client.register_session()
    state = {"window": {"open": ["main"], "active": "main"}, "gone": 1}
    equal(client.update_state(session_id, state), {"status": "ok"})
    equal(client.log_event(session_id, "opened"), {"status": "ok"})
    equal(client.log_metric(session_id, "cpu", 2, tags=["host:a"]), {"status": "ok"})
    session = datacat.Session(client, session_id)
    session.update_state({"window": {"open": ["main", u"caf\xe9"]}, "gone": None})
    session.log_event("saved", {"file": u"caf\xe9.txt"})
    session.log_metric("cpu", "2.5")
    for log in (client.log_exception, lambda _, **fields: session.log_exception(**fields)):
        try:
            raise KeyError("colour")
        except KeyError:
            log(session_id, extra_data={"step": "plain"})
    whole = client.get_session(session_id)
    equal(whole, session.get_session())
    equal(whole["id"], session.get_details()["id"])
    equal(whole["state"], {"window": {"open": ["main", u"caf\xe9"], "active": "main"}, "gone": None})
    equal([event["name"] for event in whole["events"]], ["opened", "saved", "exception", "exception"])
    equal(whole["events"][0]["data"], {})
    equal((whole["events"][2]["data"]["type"], whole["events"][2]["data"]["step"]), ("KeyError", "plain"))
    equal([(point["value"], point.get("tags")) for point in whole["metrics"]], [(2, ["host:a"]), (2.5, None)])
    session.end_session()
    ended = client.get_session(session_id)
    expect(ended["active"] is False and ended["ended_at"], ended)
    expect(session_id in [one["id"] for one in client.get_all_sessions()])
    again = datacat.create_session(URL)
    again.end()
    equal(again.get_details()["active"], False)
    client.end_session(again.session_id)


def errors(client):
    error = fails(client.get_session, "no/such session")
    equal((str(error), error.status), ("HTTP Error 404: Not Found", 404))
    equal(str(fails(client.update_state, client.register_session(), None)), "HTTP Error 400: Bad Request")
    closed = socket.socket()
    closed.bind(("127.0.0.1", 0))
    refused = fails(datacat.DatacatClient("http://127.0.0.1:%d" % closed.getsockname()[1], retries=1).register_session)
    expect(str(refused).startswith("URL Error: ") and refused.status is None, refused)
    closed.listen(1)
    started = time.time()
    stalled = datacat.DatacatClient("http://127.0.0.1:%d" % closed.getsockname()[1], timeout=0.5, retries=0)
    expect(str(fails(stalled.register_session)).startswith("Request failed: ") and time.time() - started < 5)
    closed.close()


def typed(client):
    registered = client.register_session(product="example", version="1", hostname="here", machine_id="m-1")
    session = datacat.Session(client, registered)
    detail = read("/v1/datacat/sessions/" + session.session_id)
    equal([detail[key] for key in ("product", "version", "hostname", "machine_id")], ["example", "1", "here", "m-1"])
    for target, extra in ((session, ()), (client, (session.session_id,))):
        target.log_gauge(*extra + ("load", 0.5), unit="share")
        target.log_counter(*extra + ("saves", 2))
        target.log_timer(*extra + ("render", 1.5), count=3)
        target.log_histogram(*extra + ("size", 0.02))
        target.log_histogram(*extra + ("size", 99))
        with target.timer(*extra + ("body",)) as timing:
            timing.count = 2
        expect(target.flush(10))
        equal(target.stats()["rejected"], 0)
    seen = [(point["value"], point["type"], point["unit"]) for point in points(session.session_id, "load")]
    equal(seen, [(0.5, "gauge", "share")] * 2)
    equal(sum(point["value"] for point in points(session.session_id, "saves")), 4)
    equal([(point["value"], point["count"]) for point in points(session.session_id, "render")], [(1.5, 3)] * 2)
    equal([point["count"] for point in points(session.session_id, "body")], [2, 2])
    size = points(session.session_id, "size")
    equal(sum(point["count"] for point in size), 4)
    equal((size[0]["type"], size[0]["metadata"]["buckets"][-1]), ("histogram", {"le": None, "count": 1}))
    session.log_event("slow", level="warning", message="took long", labels=["ui"], timestamp="2026-01-31T12:00:00Z")
    slow = events(session.session_id)[-1]
    equal((slow["level"], slow["message"], slow["timestamp"][:19]), ("warning", "took long", "2026-01-31T12:00:00"))
    session.end()


def batches(client):
    session = datacat.Session(client, client.register_session())
    batch = session.buffered()
    for number in range(BATCH_ITEMS):
        equal(batch.log_metric("many", number), {"status": "queued"})
    batch.update_state({"phase": "batch"})
    batch.log_event("queued")
    batch.log_gauge("load", 1)
    batch.log_counter("saves")
    batch.log_timer("render", 0.5)
    batch.log_histogram("size", 1)
    with batch.timer("body"):
        batch.log_exception(ValueError("given, not raised"))
    batch.log_event("x" * 300)
    expect(batch.flush(30), batch.stats())
    counts = batch.stats()
    equal((counts["rejected"], counts["dropped"], counts["queued"]), (1, 0, 0))
    equal([point["value"] for point in points(session.session_id, "many")], list(range(BATCH_ITEMS)))
    equal([(event["name"], event["level"]) for event in events(session.session_id)][-1], ("exception", "error"))
    equal(session.get_details()["state"], {"phase": "batch"})
    batch.end_session()
    expect(batch.close(10))
    equal(batch.log_event("late"), {"status": "dropped"})
    equal(session.get_details()["active"], False)
    expect(client.buffered(session.session_id).session_id == session.session_id)


def log_records(client):
    session = datacat.Session(client, client.register_session())
    logger = logging.getLogger("example")
    logger.setLevel(logging.DEBUG)
    logger.propagate = False
    handler = datacat.DatacatHandler(session)
    logger.addHandler(handler)
    logger.debug("starting %s", "up")
    try:
        raise RuntimeError("broken")
    except RuntimeError:
        logger.exception("failed")
    handler.flush()
    logger.removeHandler(handler)
    expect(client.flush(10) and handler.errors == 0)
    first, second = events(session.session_id)
    equal((first["level"], first["message"], first["group"]), ("debug", "starting up", "example"))
    thrown = second["exception"]
    equal((second["level"], thrown["type"], thrown["message"]), ("error", "RuntimeError", "broken"))
    session.end()


def told(session_id):
    wanted = ("application_appears_hung", "application_recovered")
    return [event["name"] for event in events(session_id) if event["name"] in wanted]


def heartbeats(client):
    session = datacat.Session(client, client.register_session())
    expect("monitor" in str(fails(session.heartbeat)))
    session.start_heartbeat_monitor(timeout=2, check_interval=0.5)
    for _ in range(15):
        session.heartbeat()
        time.sleep(0.2)
    equal(told(session.session_id), [])
    wait_for(lambda: told(session.session_id) == ["application_appears_hung"], 30, "the hang")
    session.heartbeat()
    both = ["application_appears_hung", "application_recovered"]
    wait_for(lambda: told(session.session_id) == both, 10, "the recovery")
    hung = [event for event in events(session.session_id) if event["name"] == "application_appears_hung"][0]
    expect(hung["data"]["timeout"] == 2 and isinstance(hung["data"]["seconds_since_heartbeat"], int), hung)
    session.suspend()
    equal(read("/v1/datacat/sessions/" + session.session_id)["status"], "suspended")
    session.stop_heartbeat_monitor()
    equal(client.send_heartbeat(session.session_id, hung_after_seconds=60)["status"], "ok")
    equal(client.suspend(session.session_id)["status"], "ok")
    monitor = datacat.HeartbeatMonitor(client, session.session_id, timeout=30, check_interval=1)
    monitor.start()
    monitor.heartbeat()
    monitor.suspend()
    monitor.stop()
    equal(told(session.session_id), ["application_appears_hung", "application_recovered"])
    session.end()


def outage(client):
    before = datacat.DatacatClient(URL, timeout=3, offline_dir=OFFLINE, flush_interval=0.1, product="example")
    known = before.register_session()
    before.log_event(known, "n0")
    before.log_metric(known, "before", 1)
    expect(before.flush(10))
    please("stop")
    for number in range(1, 6):
        before.log_event(known, "n%d" % number)
        time.sleep(0.15)
    born = before.register_session()
    before.log_event(born, "n0")
    wait_for(lambda: before.stats()["stored"] == 7, 20, "seven items on disk")
    expect(before.close(5) and os.listdir(OFFLINE), os.listdir(OFFLINE))
    with open(os.path.join(OFFLINE, "half-written.batch"), "w") as file:
        file.write('{"session_id": "')
    after = datacat.DatacatClient(URL, timeout=3, offline_dir=OFFLINE, flush_interval=0.1, product="example")
    after.log_event(known, "n6")
    after.log_event(born, "n1")
    after.end_session(born)
    equal(after.flush(0.5), False)
    please("start")
    expect(after.flush(60), after.stats())
    equal(names(known, "n"), ["n%d" % number for number in range(7)])
    equal(names(born, "n"), ["n0", "n1"])
    detail = read("/v1/datacat/sessions/" + born)
    equal((detail["product"], detail["active"]), ("example", False))
    counts = after.stats()
    equal((counts["stored"], counts["queued"], counts["dropped"], counts["rejected"]), (0, 0, 0, 0))
    equal([name for name in os.listdir(OFFLINE) if not name.endswith(".broken")], [])
    expect(after.close())
    equal(client.get_session(known)["id"], known)
    return known


def main():
    public = trace_public_names()
    client = datacat.DatacatClient(URL)
    for step in (plain_calls, errors, typed, batches, log_records, heartbeats):
        step(client)
        say(step=step.__name__.replace("_", " "))
    session_id = outage(client)
    say(step="outage")
    client.close()
    expect(not public - called, "never called:", sorted(public - called))
    say(done=True, session_id=session_id, calls=sorted(called))


if __name__ == "__main__":
    try:
        main()
    except Exception as error:
        import traceback
        traceback.print_exc()
        print("client.py: %s" % error, file=sys.stderr)
        sys.exit(1)
