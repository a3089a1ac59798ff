/**
 * Optionals without the object: nodes of what is optional in any case give its value, and undefined where there is none.
 * An `Optional` for each field of `a.?b.?c.orValue(d)` would only be made to be looked into.
 */
import { noOverload, type Node } from "./frame.ts";
import { Optional, type Value } from "./values.ts";

/** The optional of what may be undefined. */
export function wrap(value: Value): Optional {
  return value === undefined ? Optional.none : Optional.of(value);
}

export function wrapped(maybe: Node): Node {
  return (frame) => wrap(maybe(frame));
}

/** Of an optional its value, of all else itself. */
export function unwrapped(node: Node): Node {
  return (frame) => {
    const value = node(frame);
    return value instanceof Optional ? value.value : value;
  };
}

/** The value of what has to be an optional. */
export function demanded(node: Node, name: string, offset: number): Node {
  return (frame) => {
    const value = node(frame);
    if (value instanceof Optional) return value.value;
    throw noOverload(name, [value], offset);
  };
}

/** `a.hasValue()`. */
export function hasValue(maybe: Node): Node {
  return (frame) => {
    const value = maybe(frame);
    frame.cost++;
    frame.check();
    return value !== undefined;
  };
}

/** `a.orValue(b)`: what stands after is only evaluated where there is no value. */
export function orValue(maybe: Node, otherwise: Node): Node {
  return (frame) => {
    const value = maybe(frame);
    return value === undefined ? otherwise(frame) : value;
  };
}

/** `a.or(b)`. */
export function or(maybe: Node, otherwise: Node, offset: number): Node {
  return (frame) => {
    const value = maybe(frame);
    if (value !== undefined) return Optional.of(value);
    const other = otherwise(frame);
    if (other instanceof Optional) return other;
    throw noOverload("or", [Optional.none, other], offset);
  };
}
