import assert from "node:assert/strict";
import { test } from "node:test";
import { patience, Stream, type Told } from "../src/panels/stream";
import { example } from "../src/panels/words";

const told = (state: string, came = 1, more: Partial<Told> = {}): Told => ({ state, why: "", age: 0, closed: null, came, ...more });

/** The state of a stream at `now` ms, patient for 5 s. */
const state = (stream: Stream, now = 0): string => stream.at(now, 5).state;

test("a stream is live until its patience ends, whatever time the browser says", () => {
  const stream = new Stream();
  assert.equal(state(stream), "connecting");
  stream.took(told("live", 0, { age: null }), 1000);
  assert.equal(state(stream, 60_000), "waiting");
  stream.took(told("live", 3, { age: 2000 }), 1000);
  assert.equal(state(stream, 3900), "live");
  assert.deepEqual(stream.at(4200, 5), { state: "stale", word: "Stale", why: "no data for 5 s" });
});

test("closed wins over paused, paused over silent and stale", () => {
  const stream = new Stream();
  stream.took(told("live", 5, { age: 60_000 }), 0);
  stream.silent(6);
  assert.deepEqual(stream.at(0, 5), { state: "silent", word: "No answer", why: "no data for 60 s, the kernel is not answering" });
  stream.silent(Infinity);
  assert.deepEqual(stream.at(0, 5), { state: "ended", word: "Ended", why: "the kernel has ended, run the cell again" });
  assert.ok(stream.hold());
  stream.took(told("live", 17), 0);
  assert.equal(stream.at(0, 5).word, "Paused, 12 new");
  stream.took(told("closed", 17, { closed: 1_700_000_000_000 }), 0);
  assert.match(stream.at(0, 5).word, /^Closed \d\d:\d\d$/);
  assert.ok(!stream.hold(), "resumed");
  assert.ok(!stream.hold(), "nothing comes that could be held");
});

test("ears hear of what came since they last did, not of what was there at first", () => {
  const stream = new Stream();
  const due = (): boolean => stream.due(stream.at(0, 5));
  assert.ok(!due());
  stream.took(told("live", 40), 0);
  assert.ok(!due());
  stream.took(told("live", 42), 0);
  assert.ok(due());
  assert.equal(stream.news(stream.at(0, 5), "lab:x"), "2 new messages on lab:x");
  assert.ok(!due());
  stream.took(told("offline", 42, { why: "reconnecting, attempt 2" }), 0);
  assert.equal(stream.news(stream.at(0, 5), "lab:x"), "Offline reconnecting, attempt 2");
  stream.hold();
  stream.took(told("live", 50), 0);
  assert.ok(!due());
});

test("says why there is nothing", () => {
  const stream = new Stream();
  assert.deepEqual(["waiting", "refused", "closed"].map((one) => stream.nothing(one, "lab:x")), [
    "Waiting for lab:x", "The server refused lab:x", "No message came",
  ]);
});

test("is patient for five usual pauses, at least five seconds", () => {
  assert.deepEqual([patience([]), patience([1, 2, 3]), patience([0, 60, 120])], [5, 5, 300]);
});

test("nobody publishes to a pattern", () => {
  assert.deepEqual(["lab:temp", "lab:*", "lab:**"].map(example), ["lab:temp", "lab:a", "lab:a"]);
});
