import { EVENT_ID, getScalarValue, parseEvents, YAMLException, type Event } from 'js-yaml';
import type { FieldPath } from '../core/field-path.ts';
import type { SourcePosition } from '../core/problem.ts';
import type { DocumentPlace } from './manifest.ts';

/**
 * Where a path of a document stands in its file: the place of its key, or that of the nearest path above it which is
 * written there. Parses the document's text again, so it is for messages, not for each document.
 * @param path from the document's root; empty for the document itself
 */
export function positionOfPath(document: DocumentPlace, path: FieldPath): SourcePosition {
  const start = { file: document.file, line: document.line, column: 1 };
  if (path.length === 0) return start;
  const offset = offsetOfPath(document.text, document.index, path);
  if (offset === undefined) return start;
  const { line, column } = lineAndColumn(document.text, offset);
  return { file: document.file, line: document.firstLine + line - 1, column };
}

/** Both from 1. */
function lineAndColumn(text: string, offset: number): { readonly line: number; readonly column: number } {
  const before = text.slice(0, offset);
  return { line: before.split('\n').length, column: offset - before.lastIndexOf('\n') };
}

function offsetOfPath(text: string, documentIndex: number, path: FieldPath): number | undefined {
  let events: readonly Event[];
  try {
    events = parseEvents(text, {});
  } catch (error) {
    if (error instanceof YAMLException) return undefined;
    throw error;
  }
  let root = 0;
  for (let index = 0; index < documentIndex; index += 1) root = nodeEnd(events, root);
  return offsetBelow(text, events, root + 1, path);
}

/** Follows `path` down from the node at `node`; the events are a flat list in which a POP closes a collection. */
function offsetBelow(
  text: string,
  events: readonly Event[],
  node: number,
  path: FieldPath,
): number | undefined {
  let at = node;
  let found: number | undefined;
  for (const part of path) {
    const child = childOf(text, events, at, part);
    if (!child) return found;
    found = child.offset;
    at = child.value;
  }
  return found;
}

interface Child {
  /** Where it is written: the key's offset, or the item's own. */
  readonly offset: number;
  /** Index of the event that begins its value. */
  readonly value: number;
}

function childOf(
  text: string,
  events: readonly Event[],
  node: number,
  part: string | number,
): Child | undefined {
  const type = events[node]?.type;
  if (type === EVENT_ID.SEQUENCE && typeof part === 'number') return itemOf(events, node, part);
  if (type === EVENT_ID.MAPPING) return entryOf(text, events, node, String(part));
  return undefined;
}

function itemOf(events: readonly Event[], sequence: number, index: number): Child | undefined {
  let at = sequence + 1;
  for (let skipped = 0; skipped < index && isInside(events, at); skipped += 1) at = nodeEnd(events, at);
  const item = events[at];
  return item && isInside(events, at) ? { offset: offsetOf(item), value: at } : undefined;
}

function entryOf(text: string, events: readonly Event[], mapping: number, key: string): Child | undefined {
  let at = mapping + 1;
  while (isInside(events, at)) {
    const event = events[at];
    const value = nodeEnd(events, at);
    if (event?.type === EVENT_ID.SCALAR && getScalarValue(text, event) === key) {
      return { offset: offsetOf(event), value };
    }
    at = nodeEnd(events, value);
  }
  return undefined;
}

function isInside(events: readonly Event[], at: number): boolean {
  return at < events.length && events[at]?.type !== EVENT_ID.POP;
}

/** Index of the event behind the node that begins at `at`. */
function nodeEnd(events: readonly Event[], at: number): number {
  let depth = 0;
  let index = at;
  do {
    const type = events[index]?.type;
    if (type === undefined) return index;
    if (type === EVENT_ID.POP) depth -= 1;
    else if (type !== EVENT_ID.SCALAR && type !== EVENT_ID.ALIAS) depth += 1;
    index += 1;
  } while (depth > 0);
  return index;
}

function offsetOf(event: Event): number {
  switch (event.type) {
    case EVENT_ID.SCALAR:
      return firstOf(event.anchorStart, event.tagStart, event.valueStart);
    case EVENT_ID.SEQUENCE:
    case EVENT_ID.MAPPING:
      return firstOf(event.anchorStart, event.tagStart, event.start);
    case EVENT_ID.ALIAS:
      return event.anchorStart;
    case EVENT_ID.DOCUMENT:
    case EVENT_ID.POP:
      return 0;
  }
}

/** The smallest offset that is present; -1 stands for absence. */
function firstOf(...offsets: readonly number[]): number {
  return Math.min(...offsets.filter((offset) => offset >= 0));
}
