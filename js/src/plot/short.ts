// Names as short as their place, and still apart.
//
// Pure. The rule: two names that differ are never cut to the same. What all of them share at their beginning goes first,
// then their middles; as nbrealtime/widgets/picture/short.py does it.

/** `names` in at most `most` characters each; `words`: what they share is dropped up to a whole word. */
export function short(names: readonly string[], most: number, words = true): string[] {
  const all = names.map((name) => [...name]);
  const first = all[0]!;
  if (all.every((name) => name.length <= most)) return [...names];
  let shared = 0;
  if (all.length > 1) while (shared < first.length && all.every((name) => name[shared] === first[shared])) shared++;
  while (words && shared > 0 && /[\p{L}\p{N}]/u.test(first[shared - 1]!)) shared--;
  const head = Math.floor(most / 3);
  const found = all.map((name) => {
    const rest = shared > 1 ? ["…", ...name.slice(shared)] : name;
    return (rest.length > most ? [...rest.slice(0, head), "…", ...rest.slice(head + 1 - most)] : rest).join("");
  });
  // They differ where they were cut: these begin with that.
  for (const cut of new Set(found)) {
    const alike = names.filter((_, index) => found[index] === cut);
    if (new Set(alike).size < 2) continue;
    const apart = short(alike, most, false);
    names.forEach((name, index) => found[index] === cut && (found[index] = apart[alike.indexOf(name)]!));
  }
  return found;
}
