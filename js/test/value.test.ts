import assert from "node:assert/strict";
import { test } from "node:test";
import { shown, spoken } from "../src/panels/value";

test("a number gets four digits and a true minus", () => {
  assert.equal(shown({ is: "number", number: -21.45678 }).big, "−21.46");
  assert.equal(shown({ is: "number", number: null }).big, "—");
});

test("fields stand beside each other, the rest is counted", () => {
  const value = { is: "fields" as const, fields: [["cpu", 12.3456], ["mem", null]] as [string, number | null][], more: 3 };
  assert.deepEqual(shown(value), { big: "", fields: [{ name: "cpu", text: "12.35" }, { name: "mem", text: "—" }], more: "+3" });
  assert.equal(spoken(value), "cpu 12.35, mem — and more");
});

test("what is no number is shown as what it is", () => {
  assert.equal(shown({ is: "text", text: "door open" }).big, "“door open”");
  assert.equal(shown({ is: "other", text: "12 kB of bytes" }).big, "12 kB of bytes");
  assert.equal(spoken({ is: "none" }), "no value yet");
});
