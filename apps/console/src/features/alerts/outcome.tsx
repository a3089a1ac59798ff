import type { ActionRecord } from "@bulwark/model";
import { Raw } from "../../ui/raw.tsx";

/** What it says of itself: the agent's own words. */
export function Outcome({ record: { text, remedy } }: { record: ActionRecord }) {
  if (text === "") return null;
  return (
    <span>
      <Raw text={text} mono={false} />
      {remedy !== "" && (
        <span className="dim">
          {" "}
          <Raw text={remedy} mono={false} />
        </span>
      )}
    </span>
  );
}
