/** Credentials that lie where many can read them: found by kind, validated, and never shown whole. */
export { findSecrets, maskSecrets, type Found, type FoundSecret } from "./find.ts";
export { loadKinds, parseKinds, type Kind, type Kinds } from "./kinds.ts";
export { maskText, secretAnalyzer, type SecretFact, type SecretResult } from "./analyzer.ts";
