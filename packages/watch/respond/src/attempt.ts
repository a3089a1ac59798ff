import { BulwarkError, errorText } from "@bulwark/model";
import type { Attempt } from "./action.ts";

/** What is thrown becomes the reason. */
export async function attempt(act: () => Promise<{ text: string; undo?: () => Promise<string> }>): Promise<Attempt> {
  try {
    return { ok: true, ...(await act()) };
  } catch (error) {
    const remedy = error instanceof BulwarkError ? error.remedy : undefined;
    return { ok: false, text: errorText(error), remedy: remedy ?? "See the agent's log." };
  }
}
