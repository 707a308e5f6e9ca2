// The programs of a Kubernetes cluster and helm, built from their Go modules and kept for later runs.
import { createHash } from 'node:crypto';
import { mkdir, readFile, readdir, rename, rm, writeFile } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { installPackages } from './debian.mjs';
import { sharedTools } from './paths.mjs';
import { SetupError, exists, findProgram, must, run } from './process.mjs';

export const KUBERNETES_VERSION = 'v1.34.4';
export const HELM_VERSION = 'v3.21.4';

/** @typedef {'kube-apiserver' | 'kube-controller-manager' | 'kube-scheduler' | 'kubelet' | 'kube-proxy' | 'kubectl' | 'helm'} Tool */

/** In the order they are built: others may wait for the first ones. */
export const TOOLS_OF_A_CLUSTER = /** @type {const} */ ([
  ...['kube-apiserver', 'helm', 'kubectl', 'kubelet'],
  ...['kube-proxy', 'kube-controller-manager', 'kube-scheduler'],
]);

/** From this one on, go fetches the newer Go that a module asks for (helm's: 1.26) by itself. */
const MIN_GO = [1, 21];
const BUILD_TIMEOUT_MS = 3_600_000;
const NEXT = 'Check that go can reach its module proxy (go env GOPROXY), then run the same command again.';

/** Where the programs are put. */
export function kubernetesFolder() {
  return join(sharedTools(), 'kubernetes', KUBERNETES_VERSION, 'bin');
}

/** @param {string} text */
function report(text) {
  process.stderr.write(`${text}\n`);
}

/**
 * Looks for programs of a fitting version in `KUBEBUILDER_ASSETS`, in our folder and on `PATH`, in this order.
 * @template {Tool} T
 * @param {readonly T[]} tools
 * @returns {Promise<Map<T, string>>} paths of those that are there
 */
export async function findTools(tools) {
  /** @type {Map<T, string>} */
  const found = new Map();
  await Promise.all(
    tools.map(async (tool) => {
      for (const path of await candidates(tool)) {
        if (!(await fits(tool, path))) continue;
        found.set(tool, path);
        return;
      }
    }),
  );
  return found;
}

/**
 * @param {Tool} tool
 * @returns {Promise<string[]>} programs of that name, of whatever version
 */
async function candidates(tool) {
  const { KUBEBUILDER_ASSETS: assets } = process.env;
  const folders = [...(assets ? [assets] : []), kubernetesFolder()];
  const onPath = await findProgram(tool);
  const paths = [...folders.map((folder) => join(folder, tool)), ...(onPath ? [onPath] : [])];
  const there = await Promise.all(paths.map((path) => exists(path)));
  return paths.filter((_, index) => there[index]);
}

/**
 * Programs of a cluster must be of one minor version, by the rules for version skew of Kubernetes' documentation and
 * because their configuration files change with it.
 * @param {Tool} tool
 * @param {string} path
 */
async function fits(tool, path) {
  // Our folder is of one version of Kubernetes, but not of helm.
  if (tool !== 'helm' && dirname(path) === kubernetesFolder()) return true;
  const args =
    tool === 'helm' ? ['version', '--short'] : tool === 'kubectl' ? ['version', '--client'] : ['--version'];
  const { ok, output } = await run([path, ...args], { timeoutMs: 20_000 });
  const version = /v(\d+)\.(\d+)\.\d+[^\s]*/.exec(output);
  if (!ok || version === null) return false;
  const [, major, minor] = version;
  if (tool === 'helm') return HELM_VERSION.startsWith(`v${major}.`);
  return KUBERNETES_VERSION.startsWith(`v${major}.${minor}.`);
}

/**
 * Builds what is not there. Several processes may call it at once: each program is built by one of them.
 * @param {readonly Tool[]} tools
 * @returns {Promise<Map<Tool, string>>} paths of all of them
 */
export async function provideTools(tools) {
  const found = await findTools(tools);
  const missing = TOOLS_OF_A_CLUSTER.filter((tool) => tools.includes(tool) && !found.has(tool));
  if (missing.length === 0) return found;
  const go = await requireGo(missing);
  const folder = kubernetesFolder();
  await mkdir(folder, { recursive: true });
  report(
    `Building ${missing.join(', ')} from Go modules into ${folder}; all of them take 6 minutes on two cores, once.`,
  );
  const source = missing.some((tool) => tool !== 'helm') ? await prepareModule(go) : '';
  for (const tool of missing) {
    const started = performance.now();
    // What lies there and is still not found is of another version.
    if (!(await findTools([tool])).has(tool)) await rm(join(folder, tool), { force: true });
    const { target, built } =
      tool === 'helm' ? await buildHelm(go, folder) : await buildKubernetes({ go, source, folder, tool });
    const seconds = ((performance.now() - started) / 1000).toFixed(0);
    report(`  ${tool.padEnd(24)}${built ? `built in ${seconds} s` : 'built by another process'}`);
    found.set(tool, target);
  }
  return found;
}

/**
 * A folder with a go.mod in which the programs can be built. Kubernetes' own go.mod names its staging modules as v0.0.0
 * and replaces them with folders of its repository, which holds for that repository only: here they are replaced by the
 * versions they are published as.
 * @param {string} go
 */
async function prepareModule(go) {
  const folder = join(dirname(kubernetesFolder()), 'module');
  await mkdir(folder, { recursive: true });
  report('  reading the modules of Kubernetes');
  const download = [go, 'mod', 'download', '-json', `k8s.io/kubernetes@${KUBERNETES_VERSION}`];
  const what = 'The modules of Kubernetes could not be read';
  const described = await must(download, { what, next: NEXT, cwd: folder, env: goEnvironment() });
  const path = join(folder, 'go.mod');
  if (await exists(path)) return folder; // with what earlier builds noted in it
  await writeFile(`${path}.${process.pid}`, renderGoMod(await readFile(JSON.parse(described).GoMod, 'utf8')));
  await rename(`${path}.${process.pid}`, path);
  return folder;
}

/**
 * @param {string} goMod Kubernetes' own
 * @returns {string} the go.mod of a module that requires Kubernetes and nothing else
 */
export function renderGoMod(goMod) {
  const goVersion = /^go (\S+)$/m.exec(goMod)?.[1] ?? MIN_GO.join('.');
  const staging = [...goMod.matchAll(/^\s*(k8s\.io\/[a-z0-9-]+) v0\.0\.0$/gm)].map((match) => match[1] ?? '');
  const published = KUBERNETES_VERSION.replace(/^v1\./, 'v0.');
  return [
    'module metallb-frr/cluster',
    `go ${goVersion}`,
    `require k8s.io/kubernetes ${KUBERNETES_VERSION}`,
    ...[...new Set(staging)].sort().map((name) => `replace ${name} => ${name} ${published}`),
    '',
  ].join('\n');
}

/** @param {{ go: string, source: string, folder: string, tool: Tool }} options */
async function buildKubernetes({ go, source, folder, tool }) {
  const [, minor] = KUBERNETES_VERSION.split('.');
  const symbols = { gitVersion: KUBERNETES_VERSION, gitMajor: '1', gitMinor: minor };
  const settings = Object.entries(symbols).map(
    ([name, value]) => `-X k8s.io/component-base/version.${name}=${value}`,
  );
  // -mod=mod lets go note in go.mod and go.sum what it needed; `go mod tidy` would fetch what only tests need too.
  const args = ['-mod=mod', '-trimpath', '-ldflags', `-s -w ${settings.join(' ')}`];
  return buildOnce(join(folder, tool), source, (output) => ({
    command: [go, 'build', ...args, '-o', output, `k8s.io/kubernetes/cmd/${tool}`],
    env: goEnvironment(),
  }));
}

/**
 * @param {string} go
 * @param {string} folder
 */
async function buildHelm(go, folder) {
  const setting = `-X helm.sh/helm/v3/internal/version.version=${HELM_VERSION}`;
  const module = `helm.sh/helm/v3/cmd/helm@${HELM_VERSION}`;
  return buildOnce(join(folder, 'helm'), folder, (output) => ({
    command: [go, 'install', '-trimpath', '-ldflags', `-s -w ${setting}`, module],
    // `go install` has no -o: it writes the program into this folder, under its own name.
    env: { ...goEnvironment(), GOBIN: `${output}.d` },
    result: join(`${output}.d`, 'helm'),
  }));
}

/**
 * Builds a Go program of this checkout that imports nothing but Go's own packages. Its name holds a hash of its source, so
 * that a change of it builds another.
 * @param {string} source path of the file
 * @returns {Promise<string>} path of a static program
 */
export async function provideProgram(source) {
  const text = await readFile(source);
  const hash = createHash('sha256').update(text).digest('hex').slice(0, 12);
  const target = join(sharedTools(), 'kubernetes', `${basename(dirname(source))}-${hash}`);
  if (await exists(target)) return target;
  const go = await requireGo([source]);
  await mkdir(dirname(target), { recursive: true });
  const args = ['-trimpath', '-ldflags', '-s -w', '-o'];
  await buildOnce(target, dirname(source), (output) => ({
    command: [go, 'build', ...args, output, source],
    env: { ...goEnvironment(), GO111MODULE: 'off' },
  }));
  return target;
}

/**
 * Runs a build unless another process has done it by the time the lock is free. A file under its final name is whole.
 * @param {string} target
 * @param {string} cwd
 * @param {(output: string) => { command: readonly string[], env: NodeJS.ProcessEnv, result?: string }} plan
 * @returns {Promise<{ target: string, built: boolean }>} whether this process built it
 */
async function buildOnce(target, cwd, plan) {
  const output = `${target}.tmp-${process.pid}`;
  const { command, env, result = output } = plan(output);
  const script =
    'target=$1 result=$2; shift 2; [ ! -e "$target" ] || exit 0; "$@"; mv "$result" "$target"; echo built';
  const locked = ['flock', dirname(target), 'sh', '-ec', script, 'sh', target, result, ...command];
  try {
    const said = await must(locked, {
      ...{ what: `${target} could not be built`, next: NEXT },
      ...{ cwd, env, timeoutMs: BUILD_TIMEOUT_MS },
    });
    return { target, built: said.trim().endsWith('built') };
  } finally {
    for (const path of [output, `${output}.d`]) await rm(path, { recursive: true, force: true });
  }
}

/** Static programs: nodes run them on other roots, and cgo would want a C compiler. */
function goEnvironment() {
  return { GOTOOLCHAIN: 'auto', ...process.env, CGO_ENABLED: '0', GO111MODULE: 'on', GOWORK: 'off' };
}

/**
 * A Go that is new enough: on PATH, where Debian puts those with a version in their name, or Debian's package.
 * @param {readonly string[]} missing what it is needed for
 * @returns {Promise<string>} path of the program
 */
async function requireGo(missing) {
  const found = await findGo();
  if (found !== undefined) return found;
  const wanted = MIN_GO.join('.');
  const candidate = await run(['apt-cache', 'policy', 'golang-go'], { timeoutMs: 60_000 });
  if (isNewEnough(/Candidate: (?:\d+:)?(\d+)\.(\d+)/.exec(candidate.output))) {
    await installPackages([{ name: 'golang-go', why: 'builds the programs of Kubernetes' }]);
    const installed = await findGo();
    if (installed !== undefined) return installed;
  }
  throw new SetupError(
    `Building ${missing.join(', ')} needs Go ${wanted} or later, and neither this machine nor its Debian release has it.`,
    `Put Go ${wanted} or later on PATH, or name a folder with those programs in KUBEBUILDER_ASSETS.`,
  );
}

/** @returns {Promise<string | undefined>} */
async function findGo() {
  const versioned = (await readdir('/usr/lib').catch(() => [])).filter((name) => /^go-\d/.test(name));
  const onPath = await findProgram('go');
  for (const path of [
    ...(onPath ? [onPath] : []),
    ...versioned.map((name) => join('/usr/lib', name, 'bin/go')),
  ]) {
    const { output } = await run([path, 'version'], { timeoutMs: 20_000 });
    if (isNewEnough(/go(\d+)\.(\d+)/.exec(output))) return path;
  }
  return undefined;
}

/** @param {RegExpExecArray | null} version */
function isNewEnough(version) {
  if (version === null) return false;
  const [major, minor] = [Number(version[1]), Number(version[2])];
  const [wantedMajor = 0, wantedMinor = 0] = MIN_GO;
  return major > wantedMajor || (major === wantedMajor && minor >= wantedMinor);
}
