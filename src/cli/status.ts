import { resolve } from 'node:path';
import { Command } from 'commander';
import { z } from 'zod';
import { CONFIGURATION_ERROR } from '../api/index.ts';
import {
  EXIT,
  examples,
  formatData,
  formatTable,
  hasErrors,
  outputOption,
  problemLines,
  type OutputForm,
} from './output.ts';
import { namespaceOption, sourceOption, withOptions } from './common-options.ts';
import type { Problem } from '../core/problem.ts';
import { ApiError, readClusterLayer2, readObjects } from '../k8s/index.ts';
import type { WrittenLayer2 } from '../l2/index.ts';
import { CONDITION_TYPE, POOL_ANNOTATION, readFolderLayer2, statusFolderOf } from '../source/index.ts';
import { openCluster } from './cluster.ts';
import { layer2Owners, layer2Table, type Layer2Owner } from './layer2-owners.ts';
import { manifestsFrom } from './manifests.ts';
import { readStatusObjects } from './status-objects.ts';
import { UserError } from './user-error.ts';

/** Of what controllers and speakers write: only what is shown here. */
const ANNOUNCED = z.object({
  node: z.string(),
  serviceName: z.string(),
  serviceNamespace: z.string(),
  peers: z.array(z.string()),
  reason: z.string().optional(),
});
const ANNOUNCED_LIST = z.object({
  kind: z.literal('ServiceBGPStatusList'),
  items: z.array(z.object({ status: ANNOUNCED })),
});
const ANNOUNCED_OBJECT = z.object({ kind: z.literal('ServiceBGPStatus'), status: ANNOUNCED });
const LOAD_BALANCER = z.object({
  kind: z.literal('Service'),
  metadata: z.object({
    namespace: z.string(),
    name: z.string(),
    annotations: z.record(z.string(), z.string()).default({}),
  }),
  spec: z.object({ type: z.literal('LoadBalancer') }),
  status: z
    .object({
      loadBalancer: z.object({ ingress: z.array(z.object({ ip: z.string().optional() })).default([]) }),
    })
    .partial()
    .default({}),
});
const SESSION = z.object({
  kind: z.literal('BGPSessionState'),
  status: z.object({
    node: z.string(),
    peer: z.string(),
    vrf: z.string(),
    bgpStatus: z.string(),
    bfdStatus: z.string(),
    prefixesSent: z.record(z.string(), z.number()),
    lastResetReason: z.string().optional(),
  }),
});
const SERVICE = z.object({
  kind: z.literal('Service'),
  metadata: z.object({ namespace: z.string(), name: z.string() }),
  status: z.object({
    conditions: z.array(z.object({ type: z.string(), status: z.string(), message: z.string() })),
  }),
});
const CONFIGURATION = z.object({
  kind: z.literal('ConfigurationState'),
  metadata: z.object({ name: z.string() }),
  status: z.object({ result: z.string(), errorSummary: z.string().default('') }),
});

type Announced = z.infer<typeof ANNOUNCED>;

/** What stands written, in a folder or in a cluster. */
interface Written {
  readonly services: readonly {
    readonly namespace: string;
    readonly name: string;
    readonly addresses: readonly string[];
    readonly pool: string | undefined;
  }[];
  readonly objects: readonly unknown[];
  readonly layer2: WrittenLayer2;
  readonly problems: readonly Problem[];
}

interface StatusReport {
  readonly services: readonly {
    readonly service: string;
    readonly addresses: readonly string[];
    readonly pool?: string;
    readonly announcedBy: readonly string[];
    /** Why it has no address, or why nodes do not announce it: `n1: noEndpoints`. */
    readonly reasons: readonly string[];
  }[];
  readonly sessions: readonly z.infer<typeof SESSION>['status'][];
  readonly layer2: readonly Layer2Owner[];
  readonly components: readonly {
    readonly name: string;
    readonly result: string;
    readonly errors: readonly string[];
  }[];
}

export function statusCommand(): Command {
  const command = new Command('status')
    .summary('show Services, sessions and problems')
    .description(
      'Shows, from what the controller and the speakers wrote: each Service with its addresses and the nodes that announce ' +
        'them over BGP, or why not; each BGP session; which node answers for which address on layer 2, since when and why; ' +
        'and the problems of every component. With --source it is read from .status/ in the folder, otherwise from the ' +
        'cluster of KUBECONFIG, which knows no sessions: ask the metrics of the speakers for these.',
    )
    .addHelpText(
      'after',
      examples('metallb-frr status --source dir:examples/custom-resources', 'metallb-frr status -o json'),
    );
  return withOptions(command, sourceOption(), namespaceOption(), outputOption()).action(run);
}

interface Options {
  readonly source?: string;
  readonly namespace: string;
  readonly output: OutputForm;
}

async function run({ source, namespace, output }: Options): Promise<void> {
  const written = source === undefined ? await ofCluster(namespace) : ofFolder(source, namespace);
  const report = statusReport(written);
  process.stdout.write(output === 'table' ? tableOf(report) : formatData(report, output));
  process.stderr.write(problemLines(written.problems));
  const invalid = report.components.some(({ errors }) => errors.length > 0);
  process.exitCode = invalid || hasErrors(written.problems) ? EXIT.problems : EXIT.fine;
}

function ofFolder(source: string, namespace: string): Written {
  const read = manifestsFrom([source], namespace);
  const said = readStatusObjects(source);
  const layer2 = readFolderLayer2(statusFolderOf(resolve(source)));
  return {
    services: read.snapshot.objects.Service.filter(({ spec }) => spec.type === 'LoadBalancer').map(
      ({ metadata, status }) => ({
        namespace: metadata.namespace,
        name: metadata.name,
        addresses: status.ingress.flatMap(({ ip }) => ip ?? []),
        pool: metadata.annotations[POOL_ANNOTATION],
      }),
    ),
    objects: said.objects,
    layer2,
    problems: [...read.problems, ...said.problems, ...layer2.problems],
  };
}

async function ofCluster(namespace: string): Promise<Written> {
  const { client } = await openCluster({ namespace, podName: undefined });
  try {
    const { signal } = new AbortController();
    const [services, announced, states, layer2] = await Promise.all([
      readObjects({ client, kind: 'Service', signal }),
      readObjects({ client, kind: 'ServiceBGPStatus', namespace, signal }),
      readObjects({ client, kind: 'ConfigurationState', namespace, signal }),
      readClusterLayer2({ client, namespace, signal }),
    ]);
    return {
      services: services.flatMap((raw) => {
        const service = LOAD_BALANCER.safeParse(raw).data;
        if (!service) return [];
        const { metadata, status } = service;
        return [
          {
            namespace: metadata.namespace,
            name: metadata.name,
            addresses: (status.loadBalancer?.ingress ?? []).flatMap(({ ip }) => ip ?? []),
            pool: metadata.annotations[POOL_ANNOTATION],
          },
        ];
      }),
      objects: [...services, ...announced, ...states],
      layer2,
      problems: [],
    };
  } catch (error) {
    if (!(error instanceof ApiError)) throw error;
    throw new UserError(error.message, { cause: error });
  } finally {
    client.close();
  }
}

function statusReport({ services, objects, layer2 }: Written): StatusReport {
  const announced = objects.flatMap((object) => [
    ...(ANNOUNCED_LIST.safeParse(object).data?.items ?? []).map(({ status }) => status),
    ...[ANNOUNCED_OBJECT.safeParse(object).data?.status].filter((status) => status !== undefined),
  ]);
  const unassigned = new Map(objects.flatMap(reasonsWithoutAddress));
  return {
    services: services.map(({ namespace, name, addresses, pool }) => {
      const here = announced.filter(
        (each) => each.serviceName === name && each.serviceNamespace === namespace,
      );
      return {
        service: `${namespace}/${name}`,
        addresses,
        ...(pool === undefined ? {} : { pool }),
        announcedBy: here.filter(({ peers }) => peers.length > 0).map(({ node }) => node),
        reasons: [...(unassigned.get(`${namespace}/${name}`) ?? []), ...here.flatMap(reasonOf)],
      };
    }),
    sessions: objects.flatMap((object) => SESSION.safeParse(object).data?.status ?? []),
    layer2: layer2Owners(layer2, Date.now()),
    components: objects.flatMap((object) => {
      const component = CONFIGURATION.safeParse(object).data;
      if (!component) return [];
      const { result, errorSummary } = component.status;
      return {
        name: component.metadata.name,
        result,
        errors: errorSummary === '' ? [] : errorSummary.split('\n').map(withoutPrefix),
      };
    }),
  };
}

/** Where errors are asked for, each need not say that it is one. */
function withoutPrefix(error: string): string {
  return error.startsWith(CONFIGURATION_ERROR) ? error.slice(CONFIGURATION_ERROR.length) : error;
}

/** Why a Service has no address, or not all that it wants. */
function reasonsWithoutAddress(object: unknown): (readonly [string, readonly string[]])[] {
  const service = SERVICE.safeParse(object).data;
  if (!service) return [];
  const { namespace, name } = service.metadata;
  const failed = service.status.conditions.filter(
    ({ type, status }) => type === CONDITION_TYPE && status === 'False',
  );
  return failed.length === 0 ? [] : [[`${namespace}/${name}`, failed.map(({ message }) => message)]];
}

function reasonOf({ node, peers, reason }: Announced): string[] {
  if (peers.length > 0) return [];
  return [`${node}: ${reason ?? 'no peer of this node gets it'}`];
}

function tableOf({ services, sessions, layer2, components }: StatusReport): string {
  const sections = [
    formatTable(
      ['SERVICE', 'ADDRESSES', 'POOL', 'ANNOUNCED BY', 'REASON'],
      services.map(({ service, addresses, pool, announcedBy, reasons }) => [
        service,
        addresses.join(', ') || '-',
        pool ?? '-',
        announcedBy.join(', ') || '-',
        reasons.join('; '),
      ]),
    ),
    formatTable(
      ['NODE', 'PEER', 'VRF', 'BGP', 'BFD', 'SENT', 'LAST RESET'],
      sessions.map(({ node, peer, vrf, bgpStatus, bfdStatus, prefixesSent, lastResetReason }) => [
        node,
        peer,
        vrf === '' ? 'default' : vrf,
        bgpStatus,
        bfdStatus,
        Object.entries(prefixesSent)
          .map(([family, sent]) => `${family} ${sent}`)
          .join(', ') || '-',
        lastResetReason ?? '',
      ]),
    ),
    ...(layer2.length === 0 ? [] : [layer2Table(layer2)]),
    formatTable(
      ['COMPONENT', 'RESULT', 'PROBLEM'],
      components.flatMap(({ name, result, errors }) =>
        errors.length === 0 ? [[name, result, '']] : errors.map((error) => [name, result, error]),
      ),
    ),
  ];
  return `${sections.join('\n\n')}\n`;
}
