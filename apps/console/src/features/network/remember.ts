import type { MapGraph } from "./graph.ts";
import { createMemory, place, type Layout, type Memory } from "./place.ts";

const memories = new Map<string, Memory>();
const most = 20;

/** Where all stands, by what is looked at; as long as this page is loaded, nobody moves. */
export function placeAgain(graph: MapGraph, key: string): Layout {
  const { layout, memory } = place(graph, memories.get(key) ?? createMemory());
  memories.delete(key);
  memories.set(key, memory);
  const oldest = memories.keys().next().value;
  if (memories.size > most && oldest !== undefined) memories.delete(oldest);
  return layout;
}

/** The next picture is arranged anew. */
export function forgetPlaces(key: string): void {
  memories.delete(key);
}
