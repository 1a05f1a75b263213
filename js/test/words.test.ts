import assert from "node:assert/strict";
import { test } from "node:test";
import { address, ago, backlog, company, counted, crowd, latency, listed, rate } from "../src/panels/words";

test("says who is here, ourselves included", () => {
  assert.equal(company(1), "only this notebook");
  assert.equal(company(2), "this notebook and 1 other");
  assert.equal(company(1205), "this notebook and 1\u2009204 others");
});

test("draws no more circles than there is room for", () => {
  assert.deepEqual(crowd(3, 6), { circles: 3, more: "" });
  assert.deepEqual(crowd(6, 6), { circles: 6, more: "" });
  assert.deepEqual(crowd(40, 6), { circles: 6, more: "+34" });
  assert.deepEqual(crowd(-1, 6), { circles: 0, more: "" });
});

test("counts one and many", () => {
  assert.equal(counted(0, "message"), "0 messages");
  assert.equal(counted(1, "message"), "1 message");
  assert.equal(counted(1204, "message"), "1\u2009204 messages");
});

test("tells ages in one unit", () => {
  assert.equal(ago(null), "—");
  assert.equal(ago(300), "now");
  assert.equal(ago(2900), "2 s ago");
  assert.equal(ago(300_000), "5 min ago");
});

test("tells latencies and rates with no more digits than they are worth", () => {
  assert.deepEqual([null, 0.04, 0.44, 2.4, 999, 1234].map(latency), ["—", "0.1 ms", "0.4 ms", "2 ms", "999 ms", "1.2 s"]);
  assert.deepEqual([null, 0, 0.05, 9.83, 99.94, 99.96, 1204].map(rate), ["—", "—", "3/min", "9.8/s", "99.9/s", "100/s", "1\u2009204/s"]);
});

test("shortens an address to what distinguishes it", () => {
  assert.equal(address("ws://127.0.0.1:43121/ws"), "127.0.0.1:43121");
  assert.equal(address("ws://127.0.0.1:43121"), "127.0.0.1:43121");
  assert.equal(address("wss://hub.example/user/ada/proxy/8765/ws"), "wss://hub.example/user/ada/proxy/8765");
});

test("says what waits and what was lost", () => {
  assert.equal(backlog(0, 0), "");
  assert.equal(backlog(2, 0), "2 waiting to be sent");
  assert.equal(backlog(100, 37), "100 waiting to be sent, 37 dropped");
});

test("lists a few and counts the rest", () => {
  assert.equal(listed([]), "");
  assert.equal(listed(["a"]), "a");
  assert.equal(listed(["a", "b", "c"]), "a, b and c");
  assert.equal(listed(["a", "b", "c", "d", "e", "f"]), "a, b, c, d and 2 more");
});
