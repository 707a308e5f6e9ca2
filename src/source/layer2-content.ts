import { isDeepStrictEqual } from 'node:util';
import { decodeManifest } from '../manifest/index.ts';
import {
  parseMoveFile,
  parseOwnedFile,
  parseSpeakerFile,
  type Layer2FileName,
  type MoveRequest,
  type OwnedFile,
  type SpeakerFile,
} from './layer2-files.ts';

/** What one file of the status folder says about layer 2. */
export type Layer2Content =
  | { readonly kind: 'speaker'; readonly file: SpeakerFile }
  | { readonly kind: 'owned'; readonly node: string; readonly owned: OwnedFile }
  | { readonly kind: 'move'; readonly request: MoveRequest };

/** @returns what a file says, or what is wrong with it */
export function contentOf(
  bytes: Buffer,
  { path, file, before }: { path: string; file: Layer2FileName; before: Layer2Content | undefined },
): Layer2Content | string {
  const decoded = decodeManifest(bytes, path);
  if (!decoded.ok) return decoded.problem.message;
  switch (file.kind) {
    case 'move': {
      const request = parseMoveFile(decoded.text, path);
      return typeof request === 'string' ? request : { kind: 'move', request };
    }
    case 'speaker': {
      const speaker = parseSpeakerFile(decoded.text, path);
      if (typeof speaker === 'string') return speaker;
      if (speaker.record.node !== file.node) return 'is of another node than its name says';
      // The record of the time before, where it says the same: its identity tells that nothing changed.
      const old = before?.kind === 'speaker' ? before.file.record : undefined;
      const record = isDeepStrictEqual(old, speaker.record) ? (old ?? speaker.record) : speaker.record;
      return { kind: 'speaker', file: { ...speaker, record } };
    }
    case 'owned': {
      const owned = parseOwnedFile(decoded.text, path, before?.kind === 'owned' ? before.owned : undefined);
      if (typeof owned === 'string') return owned;
      const isForeign = [...owned.values()].some(({ record }) => record.node !== file.node);
      return isForeign
        ? 'names another node as the owner than its name says'
        : { kind: 'owned', node: file.node, owned };
    }
  }
}
