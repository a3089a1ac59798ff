import type { Overload } from "../environment.ts";
import { encoders } from "./encoders.ts";
import { lists } from "./lists.ts";
import { math } from "./math.ts";
import { optionals } from "./optionals.ts";
import { sets } from "./sets.ts";
import { standard } from "./standard.ts";
import { strings } from "./strings.ts";

/** The language and cel-go's extensions, by name. */
export const libraries = { standard, encoders, lists, math, optionals, sets, strings } as const;

/** All of them together. */
export const allLibraries: readonly Overload[] = Object.values(libraries).flat();
