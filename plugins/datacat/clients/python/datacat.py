"""Client of the datacat session log: sessions, state, events, metrics and heartbeats over HTTP.

One module, standard library only, Python 2.7 and 3.6 or newer. Times are seconds unless a name says otherwise.
"""
import atexit
import bisect
import calendar
import collections
import datetime
import email.utils
import errno
import json
import logging
import numbers
import os
import random
import signal
import socket
import sys
import threading
import time
import traceback
import uuid
import weakref

try:
    from http.client import HTTPException
    from urllib.error import HTTPError, URLError
    from urllib.parse import quote, urlsplit
    from urllib.request import HTTPRedirectHandler, ProxyHandler, Request, build_opener, getproxies, proxy_bypass
except ImportError:
    from httplib import HTTPException
    from urllib import getproxies, proxy_bypass, quote
    from urllib2 import HTTPError, HTTPRedirectHandler, ProxyHandler, Request, URLError, build_opener
    from urlparse import urlsplit

__all__ = ["Batch", "DatacatClient", "DatacatError", "DatacatHandler", "HeartbeatMonitor", "Session", "create_session"]

DEFAULT_BUCKETS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10)
_BATCH_BYTES = 500000
# The server takes bodies of 1,048,576 bytes; the rest is room for the names around an item.
_BODY_BYTES = 1048576
_ITEM_BYTES = 1040000
_MESSAGE_BYTES = 20000
_LINE_BYTES = 4000
_STACK_BYTES = 150000
_LONGEST_WAIT = 30.0
_RETRY_CAP = 5.0
_EXIT_WAIT = 5.0
_KINDS = ("states", "events", "metrics", "end")

_text_type = type(u"")
_now = getattr(time, "monotonic", time.time)
_log = logging.getLogger("datacat")
_writers = weakref.WeakSet()


class DatacatError(Exception):
    """A failed call. `status` is the HTTP status or None when there was no answer; `detail` is the server's error
    text.
    """

    def __init__(self, message, status=None, detail="", retry_after=None, retriable=False):
        super(DatacatError, self).__init__(message)
        self.status = status
        self.detail = detail
        self.retry_after = retry_after
        self.retriable = retriable


class _Request(Request):
    def __init__(self, method, *arguments, **options):
        Request.__init__(self, *arguments, **options)
        self._verb = method

    def get_method(self):
        return self._verb


class _Redirects(HTTPRedirectHandler):
    """Repeats a request at its new address as it is; the token goes along to the same host only."""

    def redirect_request(self, request, response, code, reason, headers, address):
        method = request.get_method()
        if code == 303 and method != "GET":
            return None
        moved = _Request(method, address, data=request.data, headers=request.headers)
        old, new = urlsplit(request.get_full_url()), urlsplit(address)
        token = request.unredirected_hdrs.get("Authorization")
        if token and old.hostname == new.hostname and (new.scheme == "https" or old.scheme == "http"):
            moved.add_unredirected_header("Authorization", token)
        return moved

    http_error_308 = HTTPRedirectHandler.http_error_302


def _is_loopback(host):
    return host in ("localhost", "::1") or host.startswith("127.")


def _proxy_of(base_url):
    """The proxy of the environment for this address, without its password; never one for the machine itself."""
    address = urlsplit(base_url)
    host = address.hostname or ""
    proxy = None if _is_loopback(host) or proxy_bypass(host) else getproxies().get(address.scheme)
    return proxy and proxy.split("@")[-1]


def _escape(session_id):
    text = session_id if isinstance(session_id, (str, _text_type)) else str(session_id)
    return quote(text.encode("utf-8") if isinstance(text, _text_type) else text, safe="")


def _text(value, longest=_MESSAGE_BYTES):
    """Any value as text the server accepts: without NUL, and at most `longest` bytes as JSON."""
    try:
        text = value.decode("utf-8", "replace") if isinstance(value, bytes) else _text_type(value)
    except Exception:
        text = u"<unprintable %s>" % type(value).__name__
    text = text.replace(u"\x00", u"\ufffd")
    kept = text[:longest]
    size = len(json.dumps(kept))
    while size - 2 > longest:
        kept = kept[:len(kept) * longest // size]
        size = len(json.dumps(kept))
    return kept if kept == text else u"%s... (%d characters)" % (kept, len(text))


def _plain(value, depth=0):
    """What JSON can hold of any value: numbers it has no word for, times and foreign objects become text."""
    if value is None or isinstance(value, (bool, numbers.Integral, _text_type)):
        return value
    if isinstance(value, float):
        return value if abs(value) < float("inf") else repr(value)
    if depth < 90 and isinstance(value, dict):
        return dict((_text(key), _plain(held, depth + 1)) for key, held in value.items())
    if depth < 90 and isinstance(value, (list, tuple, set, frozenset)):
        return [_plain(held, depth + 1) for held in value]
    return _text(value.isoformat() if isinstance(value, (datetime.date, datetime.time)) else value)


def _json(value):
    try:
        return json.dumps(value, allow_nan=False)
    except (TypeError, ValueError, RuntimeError):
        return json.dumps(_plain(value), allow_nan=False)


def _stamp(timestamp=None):
    """Epoch milliseconds now, or a time as given; a datetime without a zone is local time, as everywhere in Python."""
    if timestamp is None:
        return int(time.time() * 1000)
    if not isinstance(timestamp, datetime.datetime):
        return timestamp
    if timestamp.utcoffset() is None:
        return int(time.mktime(timestamp.timetuple())) * 1000 + timestamp.microsecond // 1000
    return calendar.timegm(timestamp.utctimetuple()) * 1000 + timestamp.microsecond // 1000


def _tags(tags):
    """Tags as the list the server takes: one text is one tag, a dictionary's entries are name:value."""
    if isinstance(tags, (str, bytes, _text_type)):
        return [tags]
    if isinstance(tags, dict):
        return ["%s:%s" % entry for entry in sorted(tags.items())]
    return [] if tags is None else list(tags)


def _given(**fields):
    return dict((name, value) for name, value in fields.items() if value is not None)


def _backoff(failures, cap=_RETRY_CAP):
    return min(cap, 0.1 * 2 ** min(failures, 10)) * random.uniform(0.5, 1.0)


def _retry_after(headers):
    value = headers.get("Retry-After") if headers else None
    if not value:
        return None
    try:
        return max(0.0, float(value))
    except ValueError:
        date = email.utils.parsedate(value)
        return None if date is None else max(0.0, calendar.timegm(date) - time.time())


def _http_error(error):
    try:
        detail = error.read().decode("utf-8", "replace")
    except Exception:
        detail = ""
    finally:
        error.close()
    retriable = error.code in (408, 429) or error.code >= 500
    message = "HTTP Error %s: %s" % (error.code, error.msg)
    if error.code // 100 == 3:
        message += " (moved to %s: give that address)" % error.headers.get("Location")
    return DatacatError(message, error.code, detail, _retry_after(error.headers), retriable)


def _kind(error):
    """Which of its own errors the server named in its problem document; "" for an answer of anybody else."""
    try:
        kind = json.loads(error.detail)["type"]
        return kind[len("urn:rayne:error:"):] if kind.startswith("urn:rayne:error:") else ""
    except (AttributeError, KeyError, TypeError, ValueError):
        return ""


def _is_final(error):
    """Whether datacat itself refused for good: a proxy, a login page or an expired token lets go of nothing."""
    kind = _kind(error)
    return kind == "session-not-found" or bool(kind) and error.status in (400, 413)


# The first version answers an unknown path in its router's plain words, the second one in a problem document.
def _lacks_route(error):
    is_plain = error.detail.strip() == "404 page not found"
    return error.status == 404 and (is_plain or _kind(error) == "route-not-found")


def _is_ok(answer):
    return isinstance(answer, dict) and answer.get("status") == "ok"


def _is_stored(answer):
    return _is_ok(answer) and isinstance(answer.get("accepted"), int) and isinstance(answer.get("duplicate"), bool)


def _is_opened(answer):
    return isinstance(answer, dict) and isinstance(answer.get("session_id"), _text_type) and answer["session_id"] != ""


def _is_session(answer):
    return isinstance(answer, dict) and "id" in answer


def _is_list(answer):
    return isinstance(answer, list)


def _exception_triple(exc_info):
    if isinstance(exc_info, BaseException):
        return type(exc_info), exc_info, getattr(exc_info, "__traceback__", None)
    return exc_info if isinstance(exc_info, tuple) else sys.exc_info()


def _exception_fields(triple):
    kind, error, trace = triple
    if kind is None:
        return {"type": "Unknown", "message": "", "stacktrace": ["NoneType: None\n"]}
    lines = [_text(line, _LINE_BYTES) for line in traceback.format_exception(kind, error, trace)]
    size = sum(len(json.dumps(line)) for line in lines)
    while size > _STACK_BYTES:
        size -= len(json.dumps(lines.pop(len(lines) // 2)))
    fields = {"type": _text(kind.__name__, 1000), "message": _text(error), "stacktrace": lines}
    frames = traceback.extract_tb(trace)
    if frames:
        path, line, function = frames[-1][:3]
        fields.update(file=_text(path, 4000), line=line, function=_text(function, 1000))
    return fields


def _histogram_item(name, tags, unit, bounds, values):
    total, count, buckets, stamp = values
    edges = list(bounds) + [None]
    detail = {"sum": total, "buckets": [{"le": edge, "count": held} for edge, held in zip(edges, buckets)]}
    return dict(_given(unit=unit), name=name, type="histogram", value=total / count, count=count, tags=list(tags),
                metadata=detail, timestamp=stamp)


class _Record(object):
    """One request of the queue: a batch, or the creation of a session."""

    def __init__(self, session_id, body, items, key):
        self.session_id, self.body, self.items, self.key = session_id, body, items, key

    @classmethod
    def batch(cls, session_id, entries, key=None):
        key = key or uuid.uuid4().hex
        parts = [json.dumps("key") + ": " + json.dumps(key)]
        for kind in _KINDS:
            texts = [text for held, text in entries if held == kind]
            if texts:
                parts.append(json.dumps(kind) + ": " + ("true" if kind == "end" else "[" + ", ".join(texts) + "]"))
        return cls(session_id, "{" + ", ".join(parts) + "}", len(entries), key)

    @classmethod
    def creation(cls, session_id, body):
        return cls(None, _json(body), 1, session_id)

    @classmethod
    def load(cls, text):
        held = json.loads(text)
        if not isinstance(held, dict) or not isinstance(json.loads(held["body"]), dict):
            raise ValueError("no request of this client")
        return cls(held["session_id"], held["body"], int(held["items"]), held["key"])

    def dump(self):
        return json.dumps({"session_id": self.session_id, "body": self.body, "items": self.items, "key": self.key})

    @property
    def path(self):
        return "/v1/datacat/sessions" + ("" if self.session_id is None else "/" + _escape(self.session_id) + "/batch")

    @property
    def check(self):
        return _is_opened if self.session_id is None else _is_stored

    def halves(self):
        body = json.loads(self.body)
        entries = [(kind, json.dumps(item)) for kind in _KINDS[:-1] for item in body.get(kind, ())]
        entries += [("end", "true")] if body.get("end") else []
        middle = len(entries) // 2
        # Keys derived from the whole batch's key make the same split repeatable after a lost answer.
        return [_Record.batch(self.session_id, entries[:middle], self.key + "0"),
                _Record.batch(self.session_id, entries[middle:], self.key + "1")]


class _DiskQueue(object):
    """Records in a folder, one file each, oldest first; a file appears whole or not at all."""

    def __init__(self, folder, max_bytes):
        self._folder, self._max_bytes = folder, max_bytes
        self._lock = threading.RLock()
        self._bytes = None
        if not os.path.isdir(folder):
            os.makedirs(folder)
        self._remove_unfinished()
        self.names = collections.deque(sorted(name for name in os.listdir(folder) if name.endswith(".batch")))
        self._last = max([self._number(name, 0) for name in self.names] or [0])
        self.items = sum(self._number(name, 2) for name in self.names)

    def _remove_unfinished(self):
        for name in os.listdir(self._folder):
            path = os.path.join(self._folder, name)
            try:
                # A younger one may be in the making by another process.
                if name.endswith(".part") and time.time() - os.path.getmtime(path) > 3600:
                    os.remove(path)
            except OSError:
                continue

    @staticmethod
    def _number(name, part):
        try:
            return int(name[:-len(".batch")].split("-")[part])
        except (IndexError, ValueError):
            return 0

    def forget(self):
        """Lets go of what belongs to the process this one was forked of."""
        self._lock = threading.RLock()
        self._bytes = None
        self.names.clear()
        self.items = 0

    def _count(self, most=None):
        """The bytes of the folder; told from `most` of its files when there are more."""
        names = os.listdir(self._folder)
        step = max(1, len(names) // (most or max(1, len(names))))
        total = 0
        for name in names[::step]:
            try:
                total += os.path.getsize(os.path.join(self._folder, name)) * step
            except OSError:
                continue
        return total

    def append(self, record):
        data = record.dump().encode("utf-8")
        with self._lock:
            if self._bytes is None:
                self._bytes = self._count(200)
                if self._bytes > self._max_bytes // 2:
                    self._bytes = self._count()
            # Counted again when it seems full: other processes take files away too.
            if self._bytes + len(data) > self._max_bytes:
                self._bytes = self._count()
            if self._bytes + len(data) > self._max_bytes:
                raise IOError(errno.ENOSPC, "the offline queue holds its %d bytes" % self._max_bytes)
            self._last = max(self._last + 1, int(time.time() * 1000000))
            name = "%017d-%s-%d.batch" % (self._last, uuid.uuid4().hex[:8], record.items)
            path = os.path.join(self._folder, name)
            with open(path + ".part", "wb") as file:
                file.write(data)
                file.flush()
                os.fsync(file.fileno())
            os.rename(path + ".part", path)
            self._bytes += len(data)
            self.names.append(name)
            self.items += record.items

    def head(self):
        """The oldest record; raises ValueError for an unreadable file, IOError when it is gone."""
        with open(os.path.join(self._folder, self.names[0]), "rb") as file:
            data = file.read()
        try:
            return _Record.load(data.decode("utf-8"))
        except (AttributeError, KeyError, TypeError) as error:
            raise ValueError(str(error))

    def drop_head(self, fate="removed"):
        """Lets go of the oldest record and returns how many items its name counts. Its file is removed; a `broken`
        one is set aside for inspection, a `left` one is not touched.
        """
        with self._lock:
            name = self.names.popleft()
            items = self._number(name, 2)
            self.items -= items
            path = os.path.join(self._folder, name)
            try:
                if fate == "removed":
                    size = os.path.getsize(path)
                    os.remove(path)
                    self._bytes = self._bytes and self._bytes - size
                elif fate == "broken":
                    os.rename(path, path + ".broken")
            except OSError as error:
                _log.debug("offline file %s is gone already: %s", name, error)
        return items


class _Writer(object):
    """The background thread of a client: bounded queue in memory, records on disk while the server is away."""

    def __init__(self, send, disk, size, interval, limit):
        self._send, self._disk = send, disk
        self._size, self._interval, self._limit = size, interval, limit
        self._closed = False
        self._reset(disk.items if disk else 0)
        _writers.add(self)
        if disk and disk.names:
            with self._changed:
                self._start()

    def _reset(self, restored):
        self._process = os.getpid()
        self._changed = threading.Condition()
        self._queue, self._histograms, self._ready = collections.deque(), {}, collections.deque()
        self._ready_items = 0
        self._accepted, self._settled = restored, 0
        self._thread, self._stopped = None, False
        self._counts = dict.fromkeys(("sent", "duplicates", "rejected", "dropped", "corrupt"), 0)
        self._cut_at = self._not_before = 0.0
        self._away, self._held, self._failures, self._last_error = False, False, 0, None

    def _check_process(self):
        # After a fork the thread and the queued items belong to the parent.
        if self._process != os.getpid():
            if self._disk:
                self._disk.forget()
            self._reset(0)
            _finish_with_multiprocessing()

    def _start(self):
        if self._thread is None:
            self._thread = threading.Thread(target=self._run, name="datacat-writer")
            self._thread.daemon = True
            try:
                self._thread.start()
            except RuntimeError as error:
                # The interpreter is ending; what is queued is told at its exit.
                self._thread = None
                _log.warning("nothing is sent any more: %s", error)
            _finish_at_sigterm()

    def _room(self, name="items"):
        held = len(self._queue) + len(self._histograms) + self._ready_items
        if not self._closed and held < self._limit:
            return True
        if not self._counts["dropped"]:
            _log.warning("%s are dropped: %s", name, "the client is closed" if self._closed else "the queue is full")
        self._counts["dropped"] += 1
        return False

    def _refuse(self, problem):
        with self._changed:
            self._counts["rejected"] += 1
            self._last_error = problem
        _log.warning("an item was refused: %s", problem)
        return {"status": "rejected"}

    def _admit(self):
        if not self._queue and not self._histograms:
            self._cut_at = _now() + self._interval
            self._changed.notify_all()
        self._start()
        self._accepted += 1

    def drop(self):
        """Counts one item nobody took."""
        with self._changed:
            self._counts["dropped"] += 1
        return {"status": "dropped"}

    def put(self, session_id, kind, item):
        """Queues one item without blocking; the answer says queued, dropped, or rejected for what is too large."""
        text = _json(item)
        self._check_process()
        if len(text) > _ITEM_BYTES:
            return self._refuse("an item of %d bytes is over the server's 1 MB" % len(text))
        with self._changed:
            if not self._room():
                return {"status": "dropped"}
            if kind == "end":
                self._drain_histograms(session_id)
            self._admit()
            self._queue.append((session_id, kind, text))
            if len(self._queue) == self._size:
                self._changed.notify_all()
        return {"status": "queued"}

    def observe(self, session_id, name, value, tags, unit, bounds):
        """Adds one sample to its histogram of this flush."""
        key = (session_id, name, tuple(sorted(_tags(tags))), unit, bounds)
        json.dumps([value, key], allow_nan=False)
        self._check_process()
        with self._changed:
            if key not in self._histograms:
                if not self._room():
                    return {"status": "dropped"}
                self._admit()
                self._histograms[key] = [0.0, 0, [0] * (len(bounds) + 1), _stamp()]
            held = self._histograms[key]
            held[0] += value
            held[1] += 1
            held[2][bisect.bisect_left(bounds, value)] += 1
        return {"status": "queued"}

    def store(self, record):
        """Puts a record on disk behind the others; IOError or OSError when it cannot be written."""
        self._check_process()
        self._disk.append(record)
        with self._changed:
            self._accepted += record.items
            self._start()
            self._changed.notify_all()

    def offline(self):
        """True while records wait on disk for the server."""
        return bool(self._disk and self._disk.names and self._away)

    def stats(self):
        """Item counts; `queued` in memory, `stored` on disk, the others since the start."""
        with self._changed:
            counts = dict(self._counts)
            counts["queued"] = len(self._queue) + len(self._histograms) + self._ready_items
            counts["stored"] = self._disk.items if self._disk else 0
            counts["last_error"] = self._last_error
        return counts

    def _hurry(self):
        # Cut here, so that items queued later cannot stand for those waited for.
        self._drain_queue()
        if not self._held:
            self._not_before = 0.0
        self._changed.notify_all()

    def hurry(self):
        """Has what is queued sent now, without waiting for it."""
        self._check_process()
        with self._changed:
            self._hurry()

    def flush(self, timeout):
        """Waits until all that was queued before has been answered by the server; False when time ran out first."""
        self._check_process()
        deadline = _now() + timeout
        with self._changed:
            target = self._accepted
            if self._settled < target:
                self._hurry()
            while self._settled < target and not self._stopped and _now() < deadline:
                self._changed.wait(max(0.0, deadline - _now()))
            return self._settled >= target

    def close(self, timeout):
        """Takes nothing more, delivers what is queued or leaves it on disk; False when items were dropped for want
        of time.
        """
        self._check_process()
        deadline = _now() + timeout
        with self._changed:
            self._closed = True
            self._hurry()
            while not self._idle() and not self._stopped and _now() < deadline:
                self._changed.wait(max(0.0, deadline - _now()))
            self._stopped = True
            left, self._ready, self._ready_items = list(self._ready), collections.deque(), 0
            self._changed.notify_all()
        if self._thread and self._thread is not threading.current_thread():
            self._thread.join(0.2)
        return self._leave(left)

    def _leave(self, records):
        lost = 0
        for record in records:
            try:
                if self._disk is None:
                    raise IOError("no offline folder")
                self._disk.append(record)
            except (IOError, OSError) as error:
                self._last_error = str(error)
                lost += record.items
        if lost:
            with self._changed:
                self._counts["dropped"] += lost
            _log.warning("%d items were not delivered: %s", lost, self._last_error)
        return lost == 0

    def _idle(self):
        waiting = self._queue or self._histograms or self._ready
        return not waiting and not (self._disk and self._disk.names and not self._away)

    def _run(self):
        while self._wait():
            try:
                with self._changed:
                    if self._cut_due(_now()):
                        self._drain_queue()
                self._spill()
                self._deliver_next()
            except Exception as error:
                self._postpone(DatacatError("Request failed: %s" % error))

    def _wait(self):
        with self._changed:
            while not self._stopped:
                pause = self._pause()
                if pause <= 0:
                    return True
                self._changed.wait(pause)
        return False

    def _pause(self):
        now = _now()
        if self._cut_due(now):
            return 0
        times = [now + 3600]
        if self._ready or (self._disk and self._disk.names):
            times.append(self._not_before)
        if (self._queue or self._histograms) and self._may_cut():
            times.append(self._cut_at)
        return min(times) - now

    def _may_cut(self):
        return self._disk is not None or not self._ready

    def _cut_due(self, now):
        if not (self._queue or self._histograms) or not self._may_cut():
            return False
        return len(self._queue) >= self._size or now >= self._cut_at

    def _drain_histograms(self, session_id=None):
        for key in list(self._histograms):
            if session_id is None or key[0] == session_id:
                item = _histogram_item(*(key[1:] + (self._histograms.pop(key),)))
                self._queue.append((key[0], "metrics", json.dumps(item)))

    def _drain_queue(self):
        self._drain_histograms()
        while self._queue:
            open_batches, taken, size = collections.OrderedDict(), 0, 0
            while self._queue and taken < self._size and (not taken or size + len(self._queue[0][2]) < _BATCH_BYTES):
                session_id, kind, text = self._queue.popleft()
                open_batches.setdefault(session_id, []).append((kind, text))
                taken, size = taken + 1, size + len(text)
                if kind == "end":
                    self._make_ready(session_id, open_batches.pop(session_id))
            for session_id, entries in open_batches.items():
                self._make_ready(session_id, entries)

    def _make_ready(self, session_id, entries):
        self._ready.append(_Record.batch(session_id, entries))
        self._ready_items += len(entries)

    def _spill(self):
        if not self._disk or not (self._away or self._disk.names):
            return
        for record in list(self._ready):
            try:
                self._disk.append(record)
            except (IOError, OSError) as error:
                self._last_error = str(error)
                return
            self._forget(record)

    def _forget(self, record):
        with self._changed:
            # close() may have taken the record over while it was on its way.
            if self._ready and self._ready[0] is record:
                self._ready.popleft()
                self._ready_items -= record.items

    def _oldest_ready(self):
        with self._changed:
            return self._ready[0] if self._ready else None

    def _deliver_next(self):
        if _now() < self._not_before:
            return
        from_disk = bool(self._disk and self._disk.names)
        try:
            record = self._disk.head() if from_disk else self._oldest_ready()
        except (IOError, OSError, ValueError) as error:
            code = getattr(error, "errno", None)
            if code in (errno.EMFILE, errno.ENFILE, errno.ENOMEM):
                raise
            # Only a process that delivered it takes a file away; what cannot be read may be readable tomorrow.
            gone = code == errno.ENOENT
            items = self._disk.drop_head("broken" if code is None else "left")
            why = None if gone else "unreadable offline file: %s" % error
            self._settle(items, {"sent" if gone else "corrupt": items}, why)
            return
        if record is None:
            return
        try:
            counts, problem = self._deliver(record)
        except DatacatError as error:
            self._postpone(error)
            return
        if from_disk:
            self._disk.drop_head()
        else:
            self._forget(record)
        self._away, self._held, self._failures = False, False, 0
        self._settle(record.items, counts, problem)

    def _deliver(self, record):
        """Sends one record; a batch the server refuses is halved until the refused items stand alone."""
        try:
            answer = self._send(record)
            return {"sent": record.items, "duplicates": record.items if answer.get("duplicate") else 0}, None
        except DatacatError as error:
            if not _is_final(error):
                raise
            problem = str(error) + (": " + error.detail if error.detail else "")
            if record.items < 2 or error.status == 404:
                return {"rejected": record.items}, problem
        total = collections.Counter()
        for half in record.halves():
            counts, trouble = self._deliver(half)
            total.update(counts)
            problem = trouble or problem
        return total, problem

    def _settle(self, items, counts, problem):
        with self._changed:
            for name, count in counts.items():
                self._counts[name] += count
            self._settled += items
            self._last_error = problem or self._last_error
            self._changed.notify_all()
        if problem:
            _log.warning("items were refused: %s", problem)

    def _postpone(self, error):
        with self._changed:
            self._away, self._held = True, error.retry_after is not None
            self._failures += 1
            wait = error.retry_after if self._held else _backoff(self._failures)
            self._not_before = _now() + wait
            known, self._last_error = self._last_error, str(error)
        if error.status is not None and known != str(error):
            _log.warning("items are kept, the server does not take them: %s", error)
        self._spill()
        with self._changed:
            self._changed.notify_all()


@atexit.register
def _close_writers():
    deadline = _now() + _EXIT_WAIT
    for writer in list(_writers):
        writer.hurry()
    for writer in list(_writers):
        writer.close(max(0.0, deadline - _now()))


def _finish_with_multiprocessing():
    """Its workers leave without `atexit`, but run what was registered with it after the fork."""
    util = sys.modules.get("multiprocessing.util")
    if util is not None:
        util.Finalize(None, _close_writers, exitpriority=100)


def _end_at_sigterm(number, frame):
    _close_writers()
    signal.signal(number, signal.SIG_DFL)
    os.kill(os.getpid(), number)


def _finish_at_sigterm():
    # Python 2 would not notice the signal while it waits for a lock, and a program's own handler is its own affair.
    try:
        if sys.version_info[0] > 2 and signal.getsignal(signal.SIGTERM) == signal.SIG_DFL:
            signal.signal(signal.SIGTERM, _end_at_sigterm)
    except ValueError:
        _log.debug("only the main thread may listen to signals")


class _Timer(object):
    """Measures the body of a `with` statement; set `count` inside it to report iterations."""

    def __init__(self, record):
        self._record = record
        self.count = 1

    def __enter__(self):
        self._started = _now()
        return self

    def __exit__(self, kind, error, trace):
        try:
            self._record(_now() - self._started, self.count)
        except DatacatError as problem:
            if kind is None:
                raise
            _log.warning("a timer was not sent: %s", problem)
        return False


class DatacatClient(object):
    """A datacat server. Calls raise DatacatError; a call with `buffered` returns at once and is sent in the background.

    `timeout` is seconds per attempt; `retries` repeats after connection failures, 408, 429 and 5xx. Every write
    carries a key, so that the server stores a repeated one once.
    `offline_dir` keeps batches on disk (at most `offline_max_bytes`) while the server is away, and implies `batch`.
    """

    def __init__(self, base_url="http://localhost:8080", timeout=10, retries=3, token=None, batch=None,
                 offline_dir=None, offline_max_bytes=64 * 1024 * 1024, product=None, version=None,
                 machine_id=None, hostname=None, flush_interval=1.0, batch_size=500, queue_size=10000):
        self.base_url = base_url.rstrip("/")
        self.timeout = timeout
        self.retries = retries
        self.batch = bool(offline_dir) if batch is None else batch
        self._token = token
        self._proxy = _proxy_of(self.base_url)
        self._opener = build_opener(_Redirects, *([] if self._proxy else [ProxyHandler({})]))
        self._identity = _given(product=product, version=version, machine_id=machine_id, hostname=hostname)
        disk = _DiskQueue(offline_dir, offline_max_bytes) if offline_dir else None
        self._offline = disk is not None
        self._writer = _Writer(self._send_record, disk, min(batch_size, 1000), flush_interval, queue_size)

    def __enter__(self):
        return self

    def __exit__(self, *exc_info):
        self.close()

    def _open(self, method, path, body, key, check):
        data = None if body is None else body.encode("utf-8")
        if data is not None and len(data) > _BODY_BYTES:
            raise DatacatError("HTTP Error 413: Payload Too Large", 413, "%d bytes are over 1 MB; not sent" % len(data))
        try:
            request = _Request(method, self.base_url + path, data=data, headers={"Content-Type": "application/json"})
            if key:
                request.add_header("Idempotency-Key", key)
            if self._token:
                # urllib repeats ordinary headers at the target of a redirect, whoever that is.
                request.add_unredirected_header("Authorization", "Bearer " + self._token)
            response = self._opener.open(request, timeout=self.timeout)
            try:
                answer = json.loads(response.read().decode("utf-8"))
            finally:
                response.close()
        except HTTPError as error:
            raise _http_error(error)
        except URLError as error:
            via = " (through the proxy %s)" % self._proxy if self._proxy else ""
            raise DatacatError("URL Error: %s%s" % (error.reason, via), retriable=True)
        except (HTTPException, EnvironmentError, socket.timeout) as error:
            raise DatacatError("Request failed: %s" % error, retriable=True)
        except ValueError as error:
            raise DatacatError("Request failed: %s" % error, 200, retriable=True)
        if not check(answer):
            raise DatacatError("Request failed: this is no answer of datacat: %.80s" % json.dumps(answer), 200,
                               retriable=True)
        return answer

    def _call(self, method, path, body=None, check=_is_ok, key=None, retries=None):
        allowed = self.retries if retries is None else retries
        for attempt in range(allowed + 1):
            try:
                return self._open(method, path, body, key, check)
            except DatacatError as error:
                wait = _backoff(attempt) if error.retry_after is None else error.retry_after
                if not error.retriable or attempt == allowed or wait > _LONGEST_WAIT:
                    raise
            time.sleep(wait)

    def _send_record(self, record, retries=0):
        return self._call("POST", record.path, record.body, record.check, record.key, retries)

    def _old(self, session_id, verb=None):
        return "/api/sessions/" + _escape(session_id) + ("/" + verb if verb else "")

    def _write(self, session_id, kind, item, plain, buffered):
        """Queues an item, or sends it at once: by its first-version path when `plain` is true, else as a batch of
        one.
        """
        if self.batch if buffered is None else buffered:
            return self._writer.put(session_id, kind, dict(item, timestamp=_stamp(item.get("timestamp"))))
        if plain:
            return self._call("POST", self._old(session_id, kind), _json(item), key=uuid.uuid4().hex)
        text = _json(dict(item, timestamp=_stamp(item.get("timestamp"))))
        return self._send_record(_Record.batch(session_id, [(kind, text)]), self.retries)

    def register_session(self, session_id=None, product=None, version=None, machine_id=None, hostname=None, state=None,
                         hung_after_seconds=None, crashed_after_seconds=None):
        """Creates a session and returns its id; with `offline_dir` also while the server is away."""
        body = dict(self._identity, **_given(product=product, version=version, machine_id=machine_id, hostname=hostname,
                                             state=state))
        limits = _given(hung_after_seconds=hung_after_seconds, crashed_after_seconds=crashed_after_seconds)
        if limits:
            body["heartbeat"] = limits
        if not body and session_id is None and not self._offline:
            return self._call("POST", "/api/sessions", None, _is_opened, str(uuid.uuid4()))["session_id"]
        body.update(id=str(session_id or uuid.uuid4()), started_at=_stamp())
        record = _Record.creation(body["id"], body)
        try:
            if self._writer.offline():
                raise DatacatError("URL Error: the server is away", retriable=True)
            return self._send_record(record, self.retries)["session_id"]
        except DatacatError as error:
            if not self._offline or _is_final(error):
                raise
            try:
                self._writer.store(record)
            except (IOError, OSError) as problem:
                raise DatacatError("%s; not kept: %s" % (error, problem), error.status)
            return body["id"]

    def get_session(self, session_id):
        """The whole session: state, events and metrics."""
        return self._call("GET", self._old(session_id), None, _is_session)

    def get_all_sessions(self):
        """Every session with all its data; large."""
        return self._call("GET", "/api/grafana/sessions", None, _is_list)

    def update_state(self, session_id, state, timestamp=None, buffered=None):
        """Merges `state` into the session's state, key by key."""
        if self.batch if buffered is None else buffered:
            return self._writer.put(session_id, "states", {"state": state, "timestamp": _stamp(timestamp)})
        if timestamp is None:
            body = None if state is None else _json(state)
            return self._call("POST", self._old(session_id, "state"), body, key=uuid.uuid4().hex)
        return self._write(session_id, "states", {"state": state, "timestamp": timestamp}, False, False)

    def log_event(self, session_id, name, data=None, level=None, message=None, group=None, labels=None, exception=None,
                  timestamp=None, buffered=None):
        """Appends an event; `level` is debug, info, warning, error or critical, `timestamp` a datetime, epoch
        milliseconds or RFC 3339.
        """
        extra = _given(level=level, message=message, group=group, labels=labels, exception=exception,
                       timestamp=timestamp)
        item = dict(extra, name=name, data={} if data is None else data)
        return self._write(session_id, "events", item, not extra, buffered)

    def log_metric(self, session_id, name, value, tags=None, unit=None, timestamp=None, buffered=None):
        """Appends one value; ValueError or TypeError when it is no number."""
        return self._metric(session_id, None, name, value, tags, unit, timestamp, buffered)

    def _metric(self, session_id, kind, name, value, tags, unit, timestamp, buffered, count=None):
        extra = _given(type=kind, unit=unit, count=count, timestamp=timestamp)
        item = dict(extra, name=name, value=float(value), tags=_tags(tags))
        return self._write(session_id, "metrics", item, not extra, buffered)

    def log_gauge(self, session_id, name, value, tags=None, unit=None, timestamp=None, buffered=None):
        """Appends the present value of something that goes up and down."""
        return self._metric(session_id, "gauge", name, value, tags, unit, timestamp, buffered)

    def log_counter(self, session_id, name, value=1, tags=None, unit=None, timestamp=None, buffered=None):
        """Appends an increment since the last report."""
        return self._metric(session_id, "counter", name, value, tags, unit, timestamp, buffered)

    def log_timer(self, session_id, name, value, tags=None, count=1, unit="s", timestamp=None, buffered=None):
        """Appends a duration of `count` iterations, seconds unless `unit` says otherwise."""
        return self._metric(session_id, "timer", name, value, tags, unit, timestamp, buffered, count)

    def log_histogram(self, session_id, name, value, tags=None, unit=None, buckets=DEFAULT_BUCKETS):
        """Adds a sample; the samples of one flush become one stored point, also without `batch`."""
        bounds = tuple(sorted(buckets))
        return self._writer.observe(session_id, name, float(value), tags, unit, bounds)

    def timer(self, session_id, name, tags=None, unit="s", buffered=None):
        """A context manager that logs how long its body took."""
        def log(seconds, count):
            return self.log_timer(session_id, name, seconds, tags, count, unit, buffered=buffered)
        return _Timer(log)

    def log_exception(self, session_id, exc_info=None, extra_data=None, level=None, buffered=None):
        """Appends the exception being handled, or the one given, as an event called `exception`. It raises nothing:
        a failure is warned about and answered as {"status": "failed"}, so that the first error stays the error.
        """
        try:
            return self._log_exception(session_id, exc_info, extra_data, level, buffered)
        except Exception as error:
            _log.warning("an exception was not sent: %s", error)
            return {"status": "failed"}

    def _log_exception(self, session_id, exc_info, extra_data, level, buffered):
        fields = _exception_fields(_exception_triple(exc_info))
        data = {"type": fields["type"], "message": fields["message"], "traceback": fields["stacktrace"]}
        data.update(extra_data or {})
        if level is None and not (self.batch if buffered is None else buffered):
            return self.log_event(session_id, "exception", data, buffered=False)
        return self.log_event(session_id, "exception", data, level=level or "error", exception=fields,
                              buffered=buffered)

    def end_session(self, session_id, buffered=None):
        """Marks the session as ended; a buffered end comes after everything queued before it."""
        if self.batch if buffered is None else buffered:
            return self._writer.put(session_id, "end", True)
        return self._call("POST", self._old(session_id, "end"), key=uuid.uuid4().hex)

    def send_heartbeat(self, session_id, hung_after_seconds=None, crashed_after_seconds=None, suspended=False):
        """Tells the server now that the session is alive, or about to pause; limits stay until changed."""
        body = _given(hung_after_seconds=hung_after_seconds, crashed_after_seconds=crashed_after_seconds)
        if suspended:
            body["suspended"] = True
        path = "/v1/datacat/sessions/%s/heartbeat" % _escape(session_id)
        return self._call("POST", path, json.dumps(body), retries=0)

    def suspend(self, session_id):
        """Announces a pause: the server detects nothing until the next heartbeat."""
        return self.send_heartbeat(session_id, suspended=True)

    def buffered(self, session_id):
        """A Batch that writes to the session in the background."""
        return Batch(self, session_id)

    def stats(self):
        """Counts of buffered items: queued, stored (on disk), sent, duplicates, rejected, dropped, corrupt; and
        last_error.
        """
        return self._writer.stats()

    def flush(self, timeout=10.0):
        """Waits until the server has answered all that is buffered; False when `timeout` seconds were not enough."""
        return self._writer.flush(timeout)

    def close(self, timeout=5.0):
        """Flushes and stops the background thread; what remains is left on disk, or counted as dropped and False
        returned.
        """
        return self._writer.close(timeout)


class _Verbs(object):
    """The client's writing calls bound to one session."""

    def __init__(self, client, session_id):
        self.client = client
        self.session_id = session_id

    def _do(self, verb, *arguments, **fields):
        return getattr(self.client, verb)(self.session_id, *arguments, **fields)

    def update_state(self, state, **fields):
        """Merges `state` into the session's state, key by key."""
        return self._do("update_state", state, **fields)

    def log_event(self, name, data=None, **fields):
        """Appends an event; further fields as DatacatClient.log_event."""
        return self._do("log_event", name, data, **fields)

    def log_metric(self, name, value, tags=None, **fields):
        """Appends one value; further fields as DatacatClient.log_metric."""
        return self._do("log_metric", name, value, tags, **fields)

    def log_gauge(self, name, value, tags=None, **fields):
        """Appends the present value of something that goes up and down."""
        return self._do("log_gauge", name, value, tags, **fields)

    def log_counter(self, name, value=1, tags=None, **fields):
        """Appends an increment since the last report."""
        return self._do("log_counter", name, value, tags, **fields)

    def log_histogram(self, name, value, tags=None, unit=None, buckets=DEFAULT_BUCKETS):
        """Adds a sample; the samples of one flush become one stored point."""
        return self.client.log_histogram(self.session_id, name, value, tags, unit, buckets)

    def log_timer(self, name, value, tags=None, **fields):
        """Appends a duration; further fields as DatacatClient.log_timer."""
        return self._do("log_timer", name, value, tags, **fields)

    def timer(self, name, tags=None, **fields):
        """A context manager that logs how long its body took."""
        return _Timer(lambda seconds, count: self.log_timer(name, seconds, tags, count=count, **fields))

    def log_exception(self, exc_info=None, extra_data=None, **fields):
        """Appends the exception being handled, or the one given, as an event called `exception`."""
        return self._do("log_exception", exc_info, extra_data, **fields)

    def end_session(self, **fields):
        """Marks the session as ended."""
        return self._do("end_session", **fields)

    def stats(self):
        """The client's counts of buffered items."""
        return self.client.stats()

    def flush(self, timeout=10.0):
        """Waits until the server has answered all that is buffered; False when `timeout` seconds were not enough."""
        return self.client.flush(timeout)


class Batch(_Verbs):
    """Writes of one session, queued and sent in the background by the client's thread; calls answer queued or
    dropped.
    """

    def __init__(self, client, session_id):
        super(Batch, self).__init__(client, session_id)
        self._closed = False

    def __enter__(self):
        return self

    def __exit__(self, *exc_info):
        self.close()

    def _do(self, verb, *arguments, **fields):
        if self._closed:
            return self.client._writer.drop()
        return super(Batch, self)._do(verb, *arguments, **dict(fields, buffered=True))

    def log_histogram(self, name, value, tags=None, unit=None, buckets=DEFAULT_BUCKETS):
        """Adds a sample; the samples of one flush become one stored point."""
        if self._closed:
            return self.client._writer.drop()
        return super(Batch, self).log_histogram(name, value, tags, unit, buckets)

    def close(self, timeout=5.0):
        """Flushes; later writes are counted as dropped. The client and its other batches go on."""
        self._closed = True
        return self.flush(timeout)


class Session(_Verbs):
    """One session of a client; `with` ends it, after the exception that left the block."""

    def __init__(self, client, session_id):
        super(Session, self).__init__(client, session_id)
        self._monitor = None

    def __enter__(self):
        return self

    def __exit__(self, kind, error, trace):
        if kind is not None:
            self.log_exception((kind, error, trace))
        try:
            self.end_session()
            self.flush()
        except DatacatError as problem:
            if kind is None:
                raise
            _log.warning("session %s was not ended: %s", self.session_id, problem)

    def get_session(self):
        """The whole session: state, events and metrics."""
        return self.client.get_session(self.session_id)

    get_details = get_session

    def end_session(self, **fields):
        """Stops the heartbeat monitor and marks the session as ended."""
        self._stop_monitor(False)
        return super(Session, self).end_session(**fields)

    end = end_session

    def buffered(self):
        """A Batch that writes to this session in the background."""
        return self.client.buffered(self.session_id)

    def start_heartbeat_monitor(self, timeout=60, check_interval=5, crashed_after=None):
        """Has a session without heartbeats for `timeout` seconds reported as hung; no-op while a monitor runs."""
        if self._monitor is None:
            self._monitor = HeartbeatMonitor(self.client, self.session_id, timeout, check_interval, crashed_after)
            self._monitor.start()

    def heartbeat(self):
        """Notes that the application is alive; cheap, no request is made here. Raises without a monitor."""
        if self._monitor is None:
            raise DatacatError("No heartbeat monitor: call start_heartbeat_monitor() first")
        self._monitor.heartbeat()

    def suspend(self):
        """Announces a pause: nothing is detected until the next heartbeat."""
        if self._monitor is None:
            return self.client.suspend(self.session_id)
        return self._monitor.suspend()

    def stop_heartbeat_monitor(self):
        """Stops the monitor and tells the server not to expect heartbeats any more."""
        self._stop_monitor(True)

    def _stop_monitor(self, announce):
        monitor, self._monitor = self._monitor, None
        if monitor is not None:
            monitor.stop(announce)


class HeartbeatMonitor(object):
    """Relays heartbeats so that the server detects hangs; detects them itself where a server cannot."""

    def __init__(self, client, session_id, timeout=60, check_interval=5, crashed_after=None):
        self._client, self._session_id = client, session_id
        self._timeout, self._check_interval = timeout, check_interval
        self._limits = _given(hung_after_seconds=timeout, crashed_after_seconds=crashed_after)
        self._beats, self._relayed, self._last_beat = 1, 0, _now()
        self._eager = self._suspended = self._hung = self._stopping = self._announce = False
        self._hung_beats = 0
        self.local = False
        self._prepare()

    def _prepare(self):
        self._process = os.getpid()
        self._wake = threading.Event()
        # Taken around relays and suspend() only, so that a slow server never delays heartbeat().
        self._relaying = threading.Lock()
        self._thread = threading.Thread(target=self._run, name="datacat-heartbeat")
        self._thread.daemon = True

    def _check_process(self):
        # The thread, and locks it may hold, stayed in the process this one was forked of.
        if self._process != os.getpid() and not self._stopping:
            self._prepare()
            self._thread.start()

    def start(self):
        """Starts the thread; starting counts as a heartbeat."""
        self._thread.start()

    def heartbeat(self):
        """Notes a heartbeat; makes no request and takes no lock a request is made under."""
        self._last_beat = _now()
        self._beats += 1
        self._check_process()
        if self._eager:
            self._wake.set()

    def suspend(self):
        """Announces a pause until the next heartbeat; DatacatError when the server could not be told."""
        self._check_process()
        with self._relaying:
            self._suspended, self._relayed, self._eager = True, self._beats, True
            if self.local:
                return {"status": "ok"}
            try:
                return self._client.suspend(self._session_id)
            except DatacatError as error:
                if not _lacks_route(error):
                    raise
                self.local = True
                return {"status": "ok"}

    def stop(self, announce=True):
        """Stops within `check_interval` + 1 seconds; `announce` suspends the server's detection."""
        self._announce, self._stopping = announce, True
        self._wake.set()
        if self._thread.is_alive() and self._thread is not threading.current_thread():
            self._thread.join(self._check_interval + 1)

    def _run(self):
        while not self._stopping:
            interval = self._check_interval if self.local else min(self._check_interval, self._timeout / 3.0)
            due = _now() + max(0.05, interval)
            try:
                self._tick()
            except Exception as error:
                _log.debug("heartbeat not relayed: %s", error)
            self._wake.wait(max(0.0, due - _now()))
            self._wake.clear()
        if self._beats != self._relayed:
            self._tell_last_beat()
        if self._announce and not self.local and not self._suspended:
            try:
                self._client.suspend(self._session_id)
            except Exception as error:
                _log.debug("pause not announced: %s", error)

    def _tell_last_beat(self):
        # It may be the one that ends a hang.
        try:
            self._tick()
        except Exception as error:
            _log.debug("last heartbeat not relayed: %s", error)

    def _tick(self):
        if not self.local:
            self._relay()
        if self.local:
            self._detect()

    def _relay(self):
        with self._relaying:
            beats = self._beats
            if beats == self._relayed:
                self._eager = True
                return
            self._suspended = False
            try:
                self._client.send_heartbeat(self._session_id, **self._limits)
                self._relayed, self._eager = beats, False
            except DatacatError as error:
                # 400 means a limit the server does not take, such as half a second.
                if not _lacks_route(error) and not (error.status == 400 and _kind(error)):
                    raise
                self.local = True

    def _detect(self):
        beats, silent = self._beats, _now() - self._last_beat
        if self._suspended and beats != self._relayed:
            self._suspended = False
        if self._hung and beats != self._hung_beats:
            self._client.log_event(self._session_id, "application_recovered", {}, buffered=False)
            self._hung = False
        elif not self._hung and not self._suspended and silent > self._timeout:
            data = {"seconds_since_heartbeat": int(silent), "timeout": self._timeout}
            self._client.log_event(self._session_id, "application_appears_hung", data, buffered=False)
            self._hung, self._hung_beats = True, beats
        self._eager = self._hung or self._suspended


class DatacatHandler(logging.Handler):
    """Sends log records to a Session or Batch in the background; never blocks, never raises, counts failures in
    `errors`.
    """

    def __init__(self, session, level=logging.NOTSET, name="log"):
        logging.Handler.__init__(self, level)
        self.errors = 0
        self._session = session
        self._event_name = name
        self._busy = threading.local()

    def emit(self, record):
        """Queues the record; those of this module and those made while queueing are ignored."""
        if record.name == "datacat" or getattr(self._busy, "on", False):
            return
        self._busy.on = True
        try:
            self._queue(record)
        except Exception:
            self.errors += 1
        finally:
            self._busy.on = False

    def _queue(self, record):
        try:
            message = self.format(record) if self.formatter else record.getMessage()
        except Exception:
            message = u"%s %r" % (_text(record.msg), record.args)
        data = {"logger": _text(record.name), "file": _text(record.pathname), "line": record.lineno,
                "function": _text(record.funcName), "thread": _text(record.threadName), "process": record.process}
        failed = _exception_fields(record.exc_info) if record.exc_info and record.exc_info[0] else None
        self._session.client.log_event(
            self._session.session_id, self._event_name, data, level=self._level_name(record.levelno),
            message=_text(message), group=_text(record.name, 256), exception=failed,
            timestamp=int(record.created * 1000), buffered=True)

    @staticmethod
    def _level_name(number):
        limits = (logging.INFO, logging.WARNING, logging.ERROR, logging.CRITICAL)
        return ("debug", "info", "warning", "error", "critical")[bisect.bisect_right(limits, number)]

    def flush(self):
        """Does nothing: the background thread sends within a second; wait with the session's flush()."""


def create_session(base_url="http://localhost:8080", **options):
    """Registers a session and returns it; options as DatacatClient."""
    client = DatacatClient(base_url, **options)
    return Session(client, client.register_session())
