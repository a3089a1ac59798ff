/** Kubernetes objects from files. */
export { casesBeside, casesProblems, filesWithCases, verdictProblem } from "./cases.ts";
export { editText, type Edit } from "./edit.ts";
export { fieldOf, isRecord, recordOf, recordsOf, stringOf } from "./fields.ts";
export { labelsOf, selectorMatches } from "./label-selector.ts";
export { isWorkload, podTemplateOf } from "./pod-template.ts";
export { placeText, readFiles, readTexts, type Manifest, type Manifests, type Place, type Problem } from "./read.ts";
