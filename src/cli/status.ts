import { Command } from 'commander';
import { z } from 'zod';
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
import { CONDITION_TYPE, POOL_ANNOTATION } from '../source/index.ts';
import { manifestsFrom } from './manifests.ts';
import { readStatusObjects } from './status-objects.ts';

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
  status: z.object({ result: z.string(), errorSummary: z.string() }),
});

type Announced = z.infer<typeof ANNOUNCED>;

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
      'Shows, from what the controller and the speakers of a folder write to .status/: each Service with its addresses and ' +
        'the nodes that announce it, or why not; each BGP session; and the problems of every component.',
    )
    .addHelpText(
      'after',
      examples(
        'metallb-frr status --source dir:examples/custom-resources',
        'metallb-frr status --source dir:. -o json',
      ),
    );
  return withOptions(command, sourceOption(), namespaceOption(), outputOption()).action(run);
}

function run(options: { source: string; namespace: string; output: OutputForm }): void {
  const read = manifestsFrom([options.source], options.namespace);
  const said = readStatusObjects(options.source);
  const announced = said.objects.flatMap((object) =>
    (ANNOUNCED_LIST.safeParse(object).data?.items ?? []).map(({ status }) => status),
  );
  const unassigned = new Map(said.objects.flatMap(reasonsWithoutAddress));
  const report: StatusReport = {
    services: read.snapshot.objects.Service.filter(({ spec }) => spec.type === 'LoadBalancer').map(
      (service) => {
        const { namespace, name } = service.metadata;
        const here = announced.filter(
          (each) => each.serviceName === name && each.serviceNamespace === namespace,
        );
        const pool = service.metadata.annotations[POOL_ANNOTATION];
        return {
          service: `${namespace}/${name}`,
          addresses: service.status.ingress.flatMap(({ ip }) => ip ?? []),
          ...(pool === undefined ? {} : { pool }),
          announcedBy: here.filter(({ peers }) => peers.length > 0).map(({ node }) => node),
          reasons: [...(unassigned.get(`${namespace}/${name}`) ?? []), ...here.flatMap(reasonOf)],
        };
      },
    ),
    sessions: said.objects.flatMap((object) => SESSION.safeParse(object).data?.status ?? []),
    components: said.objects.flatMap((object) => {
      const component = CONFIGURATION.safeParse(object).data;
      if (!component) return [];
      const { result, errorSummary } = component.status;
      return {
        name: component.metadata.name,
        result,
        errors: errorSummary === '' ? [] : errorSummary.split('\n'),
      };
    }),
  };
  process.stdout.write(options.output === 'table' ? tableOf(report) : formatData(report, options.output));
  const problems = [...read.problems, ...said.problems];
  process.stderr.write(problemLines(problems));
  const invalid = report.components.some(({ errors }) => errors.length > 0);
  process.exitCode = invalid || hasErrors(problems) ? EXIT.problems : EXIT.fine;
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

function tableOf({ services, sessions, components }: StatusReport): string {
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
    formatTable(
      ['COMPONENT', 'RESULT', 'PROBLEM'],
      components.flatMap(({ name, result, errors }) =>
        errors.length === 0 ? [[name, result, '']] : errors.map((error) => [name, result, error]),
      ),
    ),
  ];
  return `${sections.join('\n\n')}\n`;
}
