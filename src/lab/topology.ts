import { isAbsolute, normalize } from 'node:path/posix';
import { z } from 'zod';
import { formatFieldPath, type FieldPath } from '../core/field-path.ts';
import type { Problem } from '../core/problem.ts';
import { parseManifestText, positionOfPath, type ManifestDocument } from '../manifest/index.ts';
import { LAB_IMAGES, labImage, type LabImage } from './images.ts';
import { splitWords } from './words.ts';

/** A containerlab topology, as far as the lab supports it. Order is the file's. */
export interface Topology {
  readonly name: string;
  readonly nodes: readonly TopologyNode[];
  readonly links: readonly TopologyLink[];
}

export interface TopologyNode {
  /** Also its host name. */
  readonly name: string;
  readonly image: LabImage;
  readonly binds: readonly Bind[];
  /** Each command as its words; run in order once the links are there. */
  readonly exec: readonly (readonly string[])[];
  /** `net.*` names and values, set before the first process starts. */
  readonly sysctls: readonly (readonly [name: string, value: string])[];
}

export interface Bind {
  /** As written: absolute, or relative to the folder of the topology file. */
  readonly source: string;
  /** Absolute, without `.` and `..`. */
  readonly target: string;
  readonly readOnly: boolean;
}

export interface TopologyLink {
  readonly a: Endpoint;
  readonly b: Endpoint;
}

export interface Endpoint {
  readonly node: string;
  readonly interface: string;
}

/** Either a topology, or why there is none. */
export type TopologyParse =
  | { readonly ok: true; readonly topology: Topology }
  | { readonly ok: false; readonly problems: readonly Problem[] };

/** Namespaces are called `NAME.NODE`, so neither may hold a dot, and both together must stay a short file name. */
const NAME = /^[a-z0-9](?:[-a-z0-9]{0,28}[a-z0-9])?$/;
const NODE_NAME = /^[a-zA-Z0-9](?:[-a-zA-Z0-9]{0,28}[a-zA-Z0-9])?$/;
/** Narrower than the kernel's rule (net/core/dev.c, dev_valid_name): what needs no quoting anywhere. */
const INTERFACE_NAME = /^[A-Za-z0-9][-A-Za-z0-9_.]{0,14}$/;
const SYSCTL = /^net(?:\.[A-Za-z0-9_-]+)+$/;
const CAPABILITY = /^(?:CAP_)?[A-Z][A-Z_]*$/;
/** The root itself, and what the kernel provides. */
const UNBINDABLE = /^\/(?:$|(?:proc|sys|dev)(?:\/|$))/;

const nodeSchema = z.strictObject({
  kind: z.string(),
  image: z.string(),
  binds: z.array(z.string()).default([]),
  exec: z.array(z.string()).default([]),
  'cap-add': z.array(z.string()).default([]),
  sysctls: z.record(z.string(), z.union([z.string(), z.number()])).default({}),
});
const fileSchema = z.strictObject({
  name: z.string(),
  topology: z.strictObject({
    nodes: z.record(z.string(), nodeSchema),
    links: z.array(z.strictObject({ endpoints: z.array(z.string()) })).default([]),
  }),
});
type TopologyFile = z.infer<typeof fileSchema>;
type NodeEntry = z.infer<typeof nodeSchema>;

/** A fault with its path; it becomes a Problem once the place in the file is looked up. */
interface Fault {
  readonly path: FieldPath;
  readonly reason: Problem['reason'];
  readonly message: string;
}

/**
 * Reads a containerlab topology. Only the keys that mean the same in containerlab and in the namespaces are accepted;
 * every other key is refused by name, so that a file never does less here than it says.
 * @param text the file's content
 * @param file its name, for positions
 */
export function parseTopology(text: string, file: string): TopologyParse {
  const { documents, problems } = parseManifestText({ text, file });
  if (problems.length > 0) return { ok: false, problems };
  const [document] = documents;
  if (!document || documents.length > 1) {
    const message = `must hold one YAML document, holds ${String(documents.length)}`;
    const position = { file, line: documents[1]?.line ?? 1, column: 1 };
    return {
      ok: false,
      problems: [{ ...problemOf({ path: [], reason: 'InvalidSyntax', message }), position }],
    };
  }
  const faults: Fault[] = [];
  const parsed = fileSchema.safeParse(document.value, { reportInput: true });
  if (!parsed.success) {
    faults.push(...parsed.error.issues.flatMap(faultsOfIssue));
    return { ok: false, problems: located(document, faults) };
  }
  const topology = topologyOf(parsed.data, faults);
  return faults.length > 0 ? { ok: false, problems: located(document, faults) } : { ok: true, topology };
}

function topologyOf(file: TopologyFile, faults: Fault[]): Topology {
  if (!NAME.test(file.name)) {
    const rule = 'must be 1 to 30 lower-case letters, digits and dashes, no dash at the ends';
    faults.push(invalid(['name'], file.name, rule));
  }
  const entries = Object.entries(file.topology.nodes);
  if (entries.length === 0) {
    faults.push({
      path: ['topology', 'nodes'],
      reason: 'MissingField',
      message: 'must hold at least one node',
    });
  }
  const nodes = entries.map(([name, entry]) => nodeOf(name, entry, faults));
  return { name: file.name, nodes: nodes.filter((node) => node !== undefined), links: linksOf(file, faults) };
}

function nodeOf(name: string, entry: NodeEntry, faults: Fault[]): TopologyNode | undefined {
  const path = ['topology', 'nodes', name];
  if (!NODE_NAME.test(name)) {
    const rule = 'a node name must be 1 to 30 letters, digits and dashes, no dash at the ends';
    faults.push(invalid(path, name, rule));
  }
  if (entry.kind !== 'linux')
    faults.push(invalid([...path, 'kind'], entry.kind, 'the lab supports the kind linux'));
  const image = labImage(entry.image);
  if (!image) {
    const known = LAB_IMAGES.map((each) => each.name).join(', ');
    faults.push(invalid([...path, 'image'], entry.image, `unknown image; the lab knows ${known}`));
  }
  const binds = bindsOf([...path, 'binds'], entry.binds, faults);
  const exec = entry.exec.map((line, index) => {
    const parsed = splitWords(line);
    if (parsed.ok) return parsed.words;
    faults.push(invalid([...path, 'exec', index], line, parsed.message));
    return [];
  });
  // Nodes hold all capabilities in both worlds (containerlab starts containers privileged): checked, not used.
  entry['cap-add'].forEach((capability, index) => {
    if (CAPABILITY.test(capability)) return;
    faults.push(invalid([...path, 'cap-add', index], capability, 'must be a capability such as NET_ADMIN'));
  });
  const sysctls = Object.entries(entry.sysctls).map(([key, value]) => {
    if (!SYSCTL.test(key)) {
      faults.push(invalid([...path, 'sysctls', key], key, 'only net.* belongs to a network namespace'));
    }
    return [key, String(value)] as const;
  });
  return image && { name, image, binds, exec, sysctls };
}

function bindsOf(path: FieldPath, texts: readonly string[], faults: Fault[]): Bind[] {
  const binds: Bind[] = [];
  texts.forEach((text, index) => {
    const result = bindOf(text);
    if (typeof result === 'string') faults.push(invalid([...path, index], text, result));
    else if (binds.some((bind) => bind.target === result.target)) {
      faults.push(invalid([...path, index], text, `${result.target} is bound already`));
    } else binds.push(result);
  });
  return binds;
}

/** The bind, or what is wrong with it. */
function bindOf(text: string): Bind | string {
  const [source = '', target = '', option, ...rest] = text.split(':');
  if (source === '' || target === '' || rest.length > 0) return 'must be HOST:CONTAINER or HOST:CONTAINER:ro';
  if (option !== undefined && option !== 'ro' && option !== 'rw') return `option ${option}: must be ro or rw`;
  if (source.startsWith('~') || source.includes('$') || source.includes('__clab')) {
    return 'home folders and variables are not supported; write a path, absolute or relative to the topology file';
  }
  if (!isAbsolute(target)) return `${target}: the container path must be absolute`;
  const clean = normalize(target).replace(/(?<=.)\/$/, '');
  if (UNBINDABLE.test(clean)) return `${clean}: cannot be bound over`;
  return { source, target: clean, readOnly: option === 'ro' };
}

function linksOf(file: TopologyFile, faults: Fault[]): TopologyLink[] {
  const links: TopologyLink[] = [];
  const used = new Set<string>();
  file.topology.links.forEach(({ endpoints }, index) => {
    const path = ['topology', 'links', index, 'endpoints'];
    const ends: Endpoint[] = [];
    endpoints.forEach((text, end) => {
      const result = endpointOf(text, Object.keys(file.topology.nodes));
      if (typeof result === 'string') faults.push(invalid([...path, end], text, result));
      else if (used.has(text))
        faults.push(invalid([...path, end], text, 'is an end of another link already'));
      else ends.push(result);
      used.add(text);
    });
    const [a, b] = ends;
    if (endpoints.length !== 2) faults.push(invalid(path, endpoints.join(', '), 'a link has two ends'));
    else if (a && b) links.push({ a, b });
  });
  return links;
}

/** The endpoint, or what is wrong with it. */
function endpointOf(text: string, nodes: readonly string[]): Endpoint | string {
  const [node = '', name = '', ...rest] = text.split(':');
  if (node === '' || name === '' || rest.length > 0) return 'must be NODE:INTERFACE';
  if (!nodes.includes(node)) return `topology.nodes has no ${node}; it has ${nodes.join(', ')}`;
  if (!INTERFACE_NAME.test(name)) {
    return `${name}: an interface name must be 1 to 15 letters, digits, dashes, underscores and dots`;
  }
  if (name === 'lo') return 'lo is the loopback of every node';
  if (name === 'eth0') return 'eth0 is the management interface of containerlab; start with eth1';
  return { node, interface: name };
}

function faultsOfIssue(issue: z.core.$ZodIssue): Fault[] {
  const path = issue.path.map((part) => (typeof part === 'number' ? part : String(part)));
  if (issue.code === 'unrecognized_keys') {
    const message = `the lab does not support this key; supported here: ${supportedKeys(path).join(', ')}`;
    return issue.keys.map((key) => ({ path: [...path, key], reason: 'UnknownField', message }));
  }
  if (issue.code === 'invalid_type') {
    if (issue.input === undefined) return [{ path, reason: 'MissingField', message: 'is required' }];
    return [invalid(path, undefined, `must be ${typeText(issue.expected)}`)];
  }
  if (issue.code === 'invalid_union') return [invalid(path, undefined, 'must be a text or a number')];
  return [invalid(path, undefined, issue.message)];
}

function supportedKeys(path: FieldPath): string[] {
  if (path.length === 0) return Object.keys(fileSchema.shape);
  if (path.length === 1) return Object.keys(fileSchema.shape.topology.shape);
  return path[1] === 'nodes' ? Object.keys(nodeSchema.shape) : ['endpoints'];
}

function typeText(type: string): string {
  return { object: 'a mapping', record: 'a mapping', array: 'a list', string: 'a text' }[type] ?? type;
}

function invalid(path: FieldPath, value: string | undefined, message: string): Fault {
  return { path, reason: 'InvalidValue', message: value === undefined ? message : `${value}: ${message}` };
}

function located(document: ManifestDocument, faults: readonly Fault[]): Problem[] {
  return faults.map((fault) => ({ ...problemOf(fault), position: positionOfPath(document, fault.path) }));
}

function problemOf({ path, reason, message }: Fault): Problem {
  return { field: formatFieldPath(path), reason, message, transient: false, severity: 'error' };
}
