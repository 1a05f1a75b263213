// A topic's newest value as a card shows it: one big number, a few named ones, or a text.
//
// Pure. The kernel shortens what is long (widgets/card.py); here numbers get their four
// digits. The one rule: a value that is no number is shown as what it is, not as "—".
import { number } from "../shared/format";

/** What the kernel sends for a value: what it is, and as much of it as a card shows. */
export type Value =
  | { is: "none" }
  | { is: "number"; number: number | null }
  | { is: "fields"; fields: [string, number | null][]; more: number }
  | { is: "text"; text: string }
  | { is: "other"; text: string };

/** A value as texts: one for the big line, and named ones beside each other. */
export interface Shown {
  big: string;
  fields: { name: string; text: string }[];
  more: string;
}

export function shown(value: Value): Shown {
  switch (value.is) {
    case "none":
      return { big: "—", fields: [], more: "" };
    case "number":
      return { big: number(value.number), fields: [], more: "" };
    case "text":
      return { big: `“${value.text}”`, fields: [], more: "" };
    case "other":
      return { big: value.text, fields: [], more: "" };
    case "fields":
      return {
        big: "",
        fields: value.fields.map(([name, one]) => ({ name, text: number(one) })),
        more: value.more > 0 ? `+${value.more}` : "",
      };
  }
}

/** The value in one line, for the label. */
export function spoken(value: Value): string {
  const { big, fields, more } = shown(value);
  if (value.is === "none") return "no value yet";
  return big || fields.map(({ name, text }) => `${name} ${text}`).join(", ") + (more ? " and more" : "");
}
