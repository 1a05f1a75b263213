import assert from "node:assert/strict";
import { test } from "node:test";
import { Sending } from "../src/panels/sending";

test("a quick answer is all that is said", () => {
  const sending = new Sending();
  const { id } = sending.begin("lab:temp", "1", 0);
  assert.deepEqual(sending.says(100, false), { text: "", tone: null });
  assert.equal(sending.answered({ id, outcome: "sent", says: "Sent to lab:temp" }, "14:02:05")?.text, "1");
  assert.deepEqual(sending.says(9999, false), { text: "Sent to lab:temp · 14:02:05", tone: null });
});

test("a busy kernel is said to be busy until it has answered every entry", () => {
  const sending = new Sending();
  const first = sending.begin("lab:temp", "1", 0);
  const second = sending.begin("lab:temp", "2", 500);
  assert.equal(sending.says(500, false).text, "Sending…");
  assert.deepEqual(sending.says(1200, false), { text: "Kernel busy, 2 entries wait until its cell ends", tone: "wait" });
  sending.answered({ id: first.id, outcome: "sent", says: "Sent to lab:temp" }, "14:02:05");
  assert.equal(sending.says(1600, false).text, "Kernel busy, 1 entry waits until its cell ends");
  sending.answered({ id: second.id, outcome: "queued", says: "Queued, offline" }, "14:02:06");
  assert.deepEqual(sending.says(1700, false), { text: "Queued, offline · 14:02:06", tone: "wait" });
});

test("a kernel that says nothing at all is not called busy", () => {
  const sending = new Sending();
  sending.begin("lab:temp", "1", 0);
  assert.equal(sending.says(6000, true).text, "The kernel is not answering, 1 entry waits");
});

test("an answer to another view's entry, or a second one, is nobody's", () => {
  const sending = new Sending();
  const { id } = sending.begin("lab:temp", "1", 0);
  assert.equal(sending.answered({ id: id + 1, outcome: "sent", says: "" }, ""), null);
  assert.notEqual(sending.answered({ id, outcome: "refused", says: "Not allowed" }, ""), null);
  assert.equal(sending.answered({ id, outcome: "sent", says: "" }, ""), null);
});

test("a refusal stays until its author writes on; a success stays", () => {
  const sending = new Sending();
  sending.refused("no JSON");
  assert.deepEqual(sending.says(0, false), { text: "no JSON", tone: "bad" });
  sending.clear();
  assert.equal(sending.says(0, false).text, "");
  const { id } = sending.begin("lab:temp", "1", 0);
  sending.answered({ id, outcome: "sent", says: "Sent" }, "14:02:05");
  sending.clear();
  assert.equal(sending.says(0, false).text, "Sent · 14:02:05");
});

test("what the server refuses afterwards is said of the topic that was sent to last", () => {
  const sending = new Sending();
  const { id } = sending.begin("lab:secret", "1", 0);
  sending.answered({ id, outcome: "sent", says: "Sent to lab:secret" }, "14:02:05");
  assert.deepEqual(sending.says(10, false, { "lab:secret": "not allowed to publish" }), {
    text: "The server refused lab:secret: not allowed to publish",
    tone: "bad",
  });
  assert.equal(sending.says(10, false, { "lab:other": "no" }).tone, null);
});
