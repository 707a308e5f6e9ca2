/**
 * Decides what a manifest's bytes say: text or not, which documents, of which YAML values, and where each stands.
 * It never touches a file, and it does not know the kinds: what an object means is decided in `api/`.
 */
export { decodeManifest, MAX_MANIFEST_BYTES, type DecodedManifest } from './bytes.ts';
export {
  documentsOf,
  parseManifestText,
  readManifest,
  type DocumentPlace,
  type ManifestDocument,
  type ManifestText,
  type ManifestVersion,
} from './manifest.ts';
export { positionOfPath } from './position.ts';
export { MANIFEST_SCHEMA } from './schema.ts';
