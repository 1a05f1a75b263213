import assert from "node:assert/strict";
import { test } from "node:test";
import { Entries } from "../src/panels/entries";
import { read, topicFault } from "../src/panels/entry";

const says = (text: string, mode: "auto" | "json" | "text" = "auto"): string => read(text, mode).says;

test("auto sends what is JSON as JSON, and says so", () => {
  assert.deepEqual(read(" 21.5 ", "auto"), { send: "json", says: "sends the number 21.5" });
  assert.equal(says("12345678901234567890"), "sends the number 12345678901234567890");
  assert.equal(says("true"), "sends true");
  assert.equal(says("null"), "sends null, which is a gap in a plot");
  assert.equal(says('"21.5"'), "sends the text “21.5”");
  assert.equal(says("[1, 2]"), "sends a list of 2");
  assert.equal(says('{"cpu": 1}'), "sends an object with the field cpu");
  assert.equal(says('{"a":1,"b":2,"c":3,"d":4}'), "sends an object with 4 fields: a, b, c, …");
});

test("auto sends plain words as text", () => {
  assert.deepEqual(read("hello there", "auto"), { send: "text", says: "sends the text “hello there”" });
  assert.equal(read("21,5", "auto").send, "text");
  assert.equal(read('"well" she said', "auto").send, "text");
});

test("auto refuses what was meant as JSON, and says where it broke", () => {
  assert.deepEqual(read('{"a": 1,}', "auto"), {
    send: null,
    empty: false,
    offset: 7,
    says: "not JSON, column 8: no comma after the last field (Text sends it as it stands)",
  });
  assert.equal(says('{\n "a" 1}'), "not JSON, line 2, column 6: expected a colon after the field's name (Text sends it as it stands)");
  assert.equal(read('"open', "auto").send, null);
});

test("a chosen mode is obeyed", () => {
  assert.deepEqual(read("21.5", "text"), { send: "text", says: "sends the text “21.5”" });
  assert.equal(read("{broken", "text").send, "text");
  assert.equal(says("hello", "json"), "not JSON, column 1: hello is no value: text stands in double quotes");
});

test("nothing is nothing, but spaces are text where text was chosen", () => {
  assert.equal(read("", "auto").send, null);
  assert.equal(read("  ", "json").send, null);
  assert.equal(read("", "text").send, null);
  assert.equal(read(" ", "text").send, "text");
});

test("a long entry is shortened where it is described", () => {
  assert.equal(says("x".repeat(100), "text"), `sends the text “${"x".repeat(31)}…”`);
});

test("topics are checked by the protocol's rules", () => {
  for (const name of ["lab:temp", "lab/bench 1/temp", "ä", "🌡".repeat(255)]) assert.equal(topicFault(name), null, name);
  for (const name of ["", " a", "a ", "a::b", ":a", "a/", "a*", "$sys:x", "a\u0007", "\ud800", "🌡".repeat(256)]) {
    assert.notEqual(topicFault(name), null, JSON.stringify(name));
  }
});

test("the arrow keys walk through the last entries and back to the draft", () => {
  const entries = new Entries();
  assert.equal(entries.older("draft"), null);
  for (const entry of ["1", "2", "2", "3"]) entries.add(entry);
  assert.equal(entries.older("draft"), "3");
  assert.equal(entries.older("3"), "2");
  assert.equal(entries.older("2"), "1");
  assert.equal(entries.older("1"), null);
  assert.equal(entries.newer(), "2");
  assert.equal(entries.newer(), "3");
  assert.equal(entries.newer(), "draft");
  assert.equal(entries.newer(), null);
});
