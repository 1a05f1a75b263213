import assert from "node:assert/strict";
import { test } from "node:test";
import { Sending } from "../src/panels/sending";

test("a quick answer is all that is said", () => {
  const sending = new Sending();
  const { id } = sending.begin("lab:temp", "1", 0);
  assert.deepEqual(sending.says(100, "there"), { text: "", tone: null });
  assert.equal(sending.answered({ id, outcome: "sent", says: "Sent to lab:temp" }, "14:02:05")?.text, "1");
  assert.deepEqual(sending.says(9999, "there"), { text: "Sent to lab:temp · 14:02:05", tone: null });
});

test("a busy kernel is said to be busy until it has answered every entry", () => {
  const sending = new Sending();
  const first = sending.begin("lab:temp", "1", 0);
  const second = sending.begin("lab:temp", "2", 500);
  assert.equal(sending.says(500, "there").text, "Sending…");
  assert.deepEqual(sending.says(1200, "there"), { text: "Kernel busy, 2 entries wait until its cell ends", tone: "wait" });
  sending.answered({ id: first.id, outcome: "sent", says: "Sent to lab:temp" }, "14:02:05");
  assert.equal(sending.says(1600, "there").text, "Kernel busy, 1 entry waits until its cell ends");
  sending.answered({ id: second.id, outcome: "queued", says: "Queued, offline" }, "14:02:06");
  assert.deepEqual(sending.says(1700, "there"), { text: "Queued, offline · 14:02:06", tone: "wait" });
});

test("a kernel that says nothing at all is not called busy", () => {
  const sending = new Sending();
  sending.begin("lab:temp", "1", 0);
  assert.equal(sending.says(6000, "silent").text, "The kernel is not answering, 1 entry unanswered");
});

test("for a kernel that has ended nothing waits, and the box says what to do", () => {
  const sending = new Sending();
  assert.deepEqual(sending.says(0, "ended"), {
    text: "The kernel of this box has ended. Run the cell again",
    tone: "wait",
  });
  const { id } = sending.begin("lab:temp", "1", 0);
  assert.deepEqual(sending.says(100, "ended"), {
    text: "The kernel of this box has ended, 1 entry unanswered. Run the cell again",
    tone: "bad",
  });
  sending.begin("lab:temp", "2", 0);
  assert.match(sending.says(9999, "ended").text, /ended, 2 entries unanswered/);
  // Neither an older success nor a refusal hides it.
  sending.answered({ id, outcome: "sent", says: "Sent to lab:temp" }, "14:02:05");
  assert.match(sending.says(9999, "ended", { "lab:temp": "not allowed" }).text, /ended, 1 entry unanswered/);
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
  assert.deepEqual(sending.says(0, "there"), { text: "no JSON", tone: "bad" });
  sending.clear();
  assert.equal(sending.says(0, "there").text, "");
  const { id } = sending.begin("lab:temp", "1", 0);
  sending.answered({ id, outcome: "sent", says: "Sent" }, "14:02:05");
  sending.clear();
  assert.equal(sending.says(0, "there").text, "Sent · 14:02:05");
});

test("what the server refuses afterwards is said of the topic that was sent to last", () => {
  const sending = new Sending();
  const { id } = sending.begin("lab:secret", "1", 0);
  sending.answered({ id, outcome: "sent", says: "Sent to lab:secret" }, "14:02:05");
  assert.deepEqual(sending.says(10, "there", { "lab:secret": "not allowed to publish" }), {
    text: "The server refused lab:secret: not allowed to publish",
    tone: "bad",
  });
  assert.equal(sending.says(10, "there", { "lab:other": "no" }).tone, null);
});
