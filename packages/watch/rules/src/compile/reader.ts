import type { FieldValue, RuleEvent } from "../event.ts";
import type { BoundOperand, BoundTransform } from "./bound.ts";
import { typed, type Single } from "./tests.ts";
import { transform } from "./transforms.ts";

/** The event that is being matched. Values of an earlier one have another stamp. */
export interface Frame {
  event: RuleEvent;
  stamp: number;
}

/** The value of one field or transformer, asked for at most once for each event. */
export class Slot {
  readonly #operand: BoundOperand;
  readonly #frame: Frame;
  readonly #isMany: boolean;
  #stamp = 0;
  #value: Single | readonly Single[] | undefined;

  constructor(operand: BoundOperand, frame: Frame) {
    this.#operand = operand;
    this.#frame = frame;
    this.#isMany = operand.isList || operand.isAny;
  }

  /** One value; of a list or "any of" several. Undefined where there is none. */
  get value(): Single | readonly Single[] | undefined {
    if (this.#stamp !== this.#frame.stamp) {
      this.#stamp = this.#frame.stamp;
      const raw = readOperand(this.#operand, this.#frame.event);
      this.#value = this.#isMany ? many(this.#operand, raw) : typed(this.#operand.type, raw);
    }
    return this.#value;
  }
}

function many({ type }: BoundOperand, raw: unknown): readonly Single[] | undefined {
  const values = Array.isArray(raw) ? (raw as readonly unknown[]) : [raw];
  const found = values.map((value) => typed(type, value)).filter((value) => value !== undefined);
  return found.length === 0 ? undefined : found;
}

/** As the event answers, or as the transformers make of it. */
export function readOperand(operand: BoundOperand, event: RuleEvent): FieldValue {
  if (operand.kind === "field") return event.get(operand.field.name, operand.argument);
  return readTransform(operand, event);
}

function readTransform(operand: BoundTransform, event: RuleEvent): FieldValue {
  const inputs = operand.inputs.map((input) => {
    if (!("kind" in input)) return input;
    const value = readOperand(input, event);
    if (typeof value === "bigint") return String(value);
    return Array.isArray(value)
      ? (value as readonly (string | number)[]).map(String)
      : (value as Exclude<typeof value, readonly (string | number)[]>);
  });
  return transform(operand, inputs);
}
