import { z } from "zod";
import { severity } from "@bulwark/model";
import { validators } from "./validators/index.ts";

const literal = z.string().min(3).max(64);
const expression = z.string().min(1).max(2048);
const validatorNames = Object.keys(validators) as [keyof typeof validators, ...(keyof typeof validators)[]];

/** A text in which the kind is found, or is not. A broken bar is taken out first: content holds no whole credential. */
const sample = z.union([z.string(), z.strictObject({ text: z.string(), file: z.string() })]);
export type Sample = z.infer<typeof sample>;

const kind = z
  .strictObject({
    id: z.string().regex(/^[a-z0-9][a-z0-9-]{1,126}$/, "small letters, digits and hyphens"),
    title: z.string().min(1).max(256),
    severity,
    /** What the file says, unless told otherwise. */
    remedy: z.string().min(1).max(2048).optional(),
    /**
     * How sure it is. `certain`: its form or checksum tells it from everything else, looked for in executables too.
     * `likely`: not in tests, examples and documentation. `weak`: neither in third-party code nor in minified code.
     */
    strength: z.enum(["certain", "likely", "weak"]).default("certain"),
    /** Literals of which one is in every credential of the kind, or in the name that it is assigned to. */
    anchors: z.array(literal).min(1).max(32),
    /** Whether the anchors' case does not matter. */
    fold: z.boolean().default(false),
    /** RE2, from the anchor on (`before` 0). The first group is the credential, else all of it. */
    pattern: expression.optional(),
    /** RE2 of a credential that is assigned to a name with the anchor in it: `API_KEY=…`, `"apiKey": "…"`. */
    assigned: expression.optional(),
    /** Bytes before the anchor at which the pattern may begin. */
    before: z.number().int().min(0).max(256).default(0),
    /** Bytes from the anchor on that the pattern may see. */
    after: z.number().int().min(8).max(32_768).default(256),
    /** Whether a letter, digit or underscore right before or behind it rules it out. */
    boundary: z.boolean().default(true),
    validators: z.array(z.enum(validatorNames)).default([]),
    /** Least entropy of the credential, in bits for each character. */
    entropy: z.number().min(0).max(8).default(0),
    /** Ends of the paths of the only files that it is looked for in. */
    files: z.array(z.string().min(1)).default([]),
    /** RE2 of credentials that are none. */
    allow: z.array(expression).default([]),
    positive: z.array(sample).min(1),
    negative: z.array(sample).min(1),
  })
  .refine(({ pattern, assigned }) => (pattern === undefined) !== (assigned === undefined), "needs pattern or assigned");
export type KindDocument = z.infer<typeof kind>;

/**
 * One file of `content/secrets`: the kinds of one provider or family.
 *
 * @public loaded when it is needed
 */
export const kindsDocument = z.strictObject({
  provider: z.string().min(1).max(128),
  remedy: z.string().min(1).max(2048),
  kinds: z.array(kind).min(1),
});

/**
 * `content/secrets/allow.yaml`: what is not looked at, and what is no credential, whatever the kind.
 *
 * @public loaded when it is needed
 */
export const allowDocument = z.strictObject({
  /** Credentials that hold one of these, case aside, are documented examples or placeholders. */
  examples: z.array(z.string().min(3)),
  /** RE2 of credentials that are none. */
  patterns: z.array(expression),
  /** Files that nobody has to read: lock files, media, archives. Ends of paths, in small letters. */
  files: z.array(z.string().min(1)),
  /** Folders that nobody has to read. Beginnings of paths. */
  folders: z.array(z.string().startsWith("/")),
  /** Tests, examples and documentation: names of folders, or ends of paths where a dot or a slash is in them. */
  documentation: z.array(z.string().min(1)),
  /** Third-party code: names of folders. */
  vendored: z.array(z.string().min(1)),
  /** Folders whose executables came with the distribution. Beginnings of paths. */
  system: z.array(z.string().startsWith("/")),
});
export type AllowDocument = z.infer<typeof allowDocument>;
