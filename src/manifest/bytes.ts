import type { Problem } from '../core/problem.ts';

/**
 * Larger files are refused. Ten times a file of 10,000 Services with room to spare; a file of this size is a
 * mistake (an image, a database dump) and would only take memory away.
 */
export const MAX_MANIFEST_BYTES = 64 * 1024 * 1024;

export type DecodedManifest =
  { readonly ok: true; readonly text: string } | { readonly ok: false; readonly problem: Problem };

const BOM_BEFORE_MARKER = /\n\uFEFF(?=---)/g;

/**
 * The text of a manifest file, without a byte order mark.
 * Refused with a Problem: more than {@link MAX_MANIFEST_BYTES}, NUL bytes (binary or UTF-16), invalid UTF-8.
 */
export function decodeManifest(bytes: Uint8Array, file: string): DecodedManifest {
  if (bytes.length > MAX_MANIFEST_BYTES) {
    return refused(
      file,
      `file of ${String(bytes.length)} bytes: must have at most ${String(MAX_MANIFEST_BYTES)} bytes`,
    );
  }
  if (bytes.includes(0)) return refused(file, 'file holds NUL bytes: must be YAML or JSON text in UTF-8');
  let text: string;
  try {
    text = new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch (error) {
    if (!(error instanceof TypeError)) throw error;
    return refused(file, 'file is not UTF-8: must be YAML or JSON text in UTF-8');
  }
  // Files joined on Windows carry a mark before each part (YAML 1.2.2 section 5.2 allows it there).
  return { ok: true, text: text.includes('\uFEFF') ? text.replaceAll(BOM_BEFORE_MARKER, '\n') : text };
}

function refused(file: string, message: string): DecodedManifest {
  return {
    ok: false,
    problem: {
      field: '',
      reason: 'FileUnreadable',
      message,
      transient: false,
      severity: 'error',
      position: { file, line: 1, column: 1 },
    },
  };
}
