// A file out of a view: by the browser, or beside the notebook where the host lets none out.
//
// Collaborators: menu.ts asks for it, nbrealtime/widgets/saving.py writes beside the notebook.
//
// The one rule: a blocked download fails without a word, so a host that may block it is not
// tried: there the kernel writes the file, and the menu names it.
import { common } from "../shared/common";
import type { Model } from "../shared/channel";

/** What is looked at of the page to know whether downloads leave it. */
export interface Place {
  protocol: string;
  origin: string;
  vscode: boolean;
  /** The frame's `sandbox`, or null: no frame, none, or not ours to read. */
  sandbox: string | null;
}

/** Whether this host may let no download out. */
export function blocked({ protocol, origin, vscode, sandbox }: Place): boolean {
  if (vscode || protocol === "vscode-webview:") return true;
  if (sandbox !== null) return !sandbox.split(/\s+/).includes("allow-downloads");
  // A sandbox that cannot be read has no origin.
  return origin === "null";
}

function here(): Place {
  let sandbox: string | null = null;
  try {
    sandbox = globalThis.frameElement?.getAttribute("sandbox") ?? null;
  } catch {
    // Another origin's frame.
  }
  return {
    protocol: location.protocol,
    origin: globalThis.origin,
    vscode: typeof (globalThis as any).acquireVsCodeApi === "function",
    sandbox,
  };
}

/** Whether files go through the kernel here; a host may decide by `downloads` of the page's common object. */
export function throughKernel(): boolean {
  return !common("downloads", () => !blocked(here()));
}

/** Has the browser save it. */
export function download(name: string, blob: Blob): void {
  const link = document.createElement("a");
  link.href = URL.createObjectURL(blob);
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 10_000);
}

const ANSWER_MS = 120_000;
let requests = 0;

/** Has the kernel write it; resolves to the file's name, rejects with why not. */
export async function writeBeside(model: Model, view: string, name: string, format: string, blob: Blob): Promise<string> {
  const bytes = new DataView(await blob.arrayBuffer());
  const request = `${view}-${++requests}`;
  return new Promise((resolve, reject) => {
    const end = (): void => {
      model.off("msg:custom", hear);
      clearTimeout(timer);
    };
    const hear = (content: any): void => {
      if (content?.type !== "saved" || content.request !== request) return;
      end();
      if (content.name) resolve(content.name);
      else reject(new Error(content.why || "not saved"));
    };
    const timer = setTimeout(() => {
      end();
      reject(new Error("the kernel did not answer"));
    }, ANSWER_MS);
    model.on("msg:custom", hear);
    try {
      model.send?.({ type: "save", name, format, request }, undefined, [bytes]);
    } catch {
      end();
      reject(new Error("no kernel"));
    }
  });
}
