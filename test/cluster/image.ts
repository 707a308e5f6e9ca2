import { createHash } from 'node:crypto';
import { arch } from 'node:process';
import { encodeTar, type TarEntry } from './tar.ts';

export interface ImageInput {
  /** Repository and tag, for example `localhost/metallb-frr/pause:1`. */
  readonly name: string;
  readonly files: readonly TarEntry[];
  readonly entrypoint: readonly string[];
}

/** Names of processors in images, by those of Node. */
const ARCHITECTURES: Readonly<Record<string, string>> = { x64: 'amd64', arm64: 'arm64' };

/**
 * An image of one layer as a docker-archive, which containerd, podman and docker import: for images of a few files, made
 * without any of them.
 */
export function encodeImage({ name, files, entrypoint }: ImageInput): Buffer {
  const layer = encodeTar(files);
  const layerDigest = sha256(layer);
  const config = Buffer.from(
    JSON.stringify({
      architecture: ARCHITECTURES[arch] ?? arch,
      os: 'linux',
      config: { Entrypoint: entrypoint, Env: ['PATH=/bin:/sbin:/usr/bin:/usr/sbin'] },
      rootfs: { type: 'layers', diff_ids: [`sha256:${layerDigest}`] },
      history: [{ created: '1970-01-01T00:00:00Z', created_by: 'metallb-frr tests' }],
    }),
  );
  const [configFile, layerFile] = [`${sha256(config)}.json`, `${layerDigest}.tar`];
  const manifest = [{ Config: configFile, RepoTags: [name], Layers: [layerFile] }];
  return encodeTar(
    [
      { path: layerFile, content: { bytes: layer } },
      { path: configFile, content: { bytes: config } },
      { path: 'manifest.json', content: { bytes: Buffer.from(JSON.stringify(manifest)) } },
    ].map((entry) => ({ ...entry, mode: 0o644 })),
  );
}

function sha256(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex');
}
