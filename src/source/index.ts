/**
 * Where objects come from: a folder of manifests, read, watched, and given out as snapshots; and the status folder
 * beside it, through which the controller tells the speakers about addresses.
 *
 * Decides which version of a file counts: a file that is broken or being written never takes away what it gave before.
 * Never decides what an object means (`api/`, `config/`), and never writes anything but the status folder.
 */
export { folderSource, type FolderSourceOptions } from './folder-source.ts';
export type { ClusterSource, OnState, SourceState } from './source.ts';
export { ObjectIndex, type IndexedFile, type IndexOptions } from './object-index.ts';
export { createDocumentParser, type DocumentParser, type ParsedDocument } from './parsed-document.ts';
export { PATIENCE, type Patience } from './manifest-file.ts';
export { readManifests, STDIN_PATH, type ReadManifestsOptions } from './read-manifests.ts';
export {
  CONDITION_TYPE,
  conditionIn,
  conditionOf,
  ingressIn,
  POOL_ANNOTATION,
  statusesEqual,
  withServiceStatus,
  type ServiceCondition,
  type ServiceStatus,
} from './service-status.ts';
export {
  renderYaml,
  STATUS_FOLDER,
  statusFolderOf,
  removeStatusFile,
  writeStatusFile,
  writeStatusObjects,
} from './status-folder.ts';
export { StatusStore } from './status-store.ts';
export {
  folderLayer2Store,
  requestFolderMove,
  type FolderLayer2StoreOptions,
  type Layer2StoreTiming,
} from './layer2-store.ts';
export { readFolderLayer2, withdrawFolderMove } from './layer2-look.ts';
export { watchFlatFolder, type FlatFolderWatchOptions } from './flat-folder-watch.ts';
export { oncePerTurn } from './turn.ts';
