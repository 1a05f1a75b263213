import assert from "node:assert/strict";
import { test } from "node:test";
import { Acks, QUIET_MS, type Report } from "../src/shared/acks";

const view = (changed: Partial<Report> = {}): Report => ({ view: "v", part: "p", visible: true, away: false, width: 800, rate: 60, ...changed });

/** At which of the seconds 1 to `seconds` something is said. */
function said(seconds: number, reports: (second: number) => Report[], acks = new Acks()): number[] {
  const found = [];
  for (let second = 1; second <= seconds; second++) if (acks.due(reports(second), second * 1000)) found.push(second);
  return found;
}

test("a page that has nothing new to say says so every three seconds", () => {
  assert.equal(QUIET_MS, 3000);
  assert.deepEqual(said(10, () => [view()]), [1, 4, 7, 10]);
});

for (const changed of [{ visible: false }, { away: true }, { width: 801 }, { rate: 50 }, { view: "another" }] as Partial<Report>[]) {
  test(`that ${JSON.stringify(changed)} is new is said at the next second`, () => {
    assert.deepEqual(said(6, (second) => [view(), view(second >= 3 ? changed : {})]), [1, 3, 6]);
  });
}

test("a view more and a view less are said at the next second", () => {
  assert.deepEqual(said(5, (second) => (second === 3 ? [view(), view({ view: "w" })] : [view()])), [1, 3, 4]);
});

test("what drawing costs scatters, and that is not said", () => {
  assert.deepEqual(said(6, (second) => [view({ rate: second % 2 ? 28 : 30 })]), [1, 4]);
});

test("a rate that creeps is said as soon as it is another than the one that was said", () => {
  // Four per cent a second: three of them are more than a tenth.
  assert.deepEqual(said(3, (second) => [view({ rate: 60 * 0.96 ** second })]), [1]);
  const acks = new Acks();
  assert.ok(acks.due([view({ rate: 60 })], 0));
  for (const [at, rate, due] of [[500, 57, false], [1000, 54.1, false], [1500, 53.9, true]] as const) {
    assert.equal(acks.due([view({ rate })], at), due, `${rate}/s`);
  }
});

test("when the kernel may know otherwise it is told again", () => {
  const acks = new Acks();
  assert.ok(acks.due([view()], 0));
  acks.forget();
  assert.ok(acks.due([view()], 50));
  assert.ok(!acks.due([view()], 1050));
});
