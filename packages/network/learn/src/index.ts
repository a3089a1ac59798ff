export { confidence, evidenceText, type Confidence, type Evidence } from "./evidence.ts";
export { judge, type JudgedEdge, type Judgement, type Verdict } from "./judge.ts";
export { learn, type Candidate, type Learned, type LearnOptions, type Rule } from "./learn.ts";
export { replay, type Denial, type Replay } from "./replay.ts";
export { policiesText, writePolicies, type WriteOptions, type WrittenPolicy } from "./write.ts";
