import type { ClusterSnapshot } from '../api/index.ts';
import type { Problem, ResourceRef } from '../core/problem.ts';
import { LAST_GOOD_STAYS, problem } from './fault.ts';

const CONFIG_MAP = 'bgpextras';
const KEY = 'extras';

export interface ExtrasReading {
  readonly text: string;
  readonly problems: readonly Problem[];
}

/**
 * The user's own text for the end of frr.conf, as it is. Only what no line of frr.conf can hold is refused; the text
 * before stays then.
 * @param last the text in use until now
 */
export function extrasFrom(snapshot: ClusterSnapshot, last: string): ExtrasReading {
  const { namespace } = snapshot;
  const resource: ResourceRef = { kind: 'ConfigMap', namespace, name: CONFIG_MAP };
  const isIt = (meta: { readonly namespace: string; readonly name: string }): boolean =>
    meta.namespace === namespace && meta.name === CONFIG_MAP;
  const object = snapshot.objects.ConfigMap.find(({ metadata }) => isIt(metadata));
  if (!object) {
    const isUnreadable = snapshot.rejected.some((ref) => ref.kind === 'ConfigMap' && isIt(ref));
    return { text: isUnreadable ? last : '', problems: [] };
  }
  const text = Object.hasOwn(object.spec.data, KEY) ? (object.spec.data[KEY] ?? '') : '';
  const fault = controlCharacterFault(text);
  if (fault === undefined) return { text, problems: [] };
  const outcome = last === '' ? undefined : LAST_GOOD_STAYS;
  return {
    text: last,
    problems: [
      problem(
        resource,
        { field: `data.${KEY}`, reason: 'InvalidValue', message: fault },
        { ...(outcome !== undefined && { outcome }) },
      ),
    ],
  };
}

function controlCharacterFault(text: string): string | undefined {
  // eslint-disable-next-line no-control-regex -- finding control characters is the point
  const at = text.search(/[\x00-\x08\x0b-\x1f\x7f-\x9f]/);
  if (at === -1) return undefined;
  const line = text.slice(0, at).split('\n').length;
  const code = text.charCodeAt(at).toString(16).toUpperCase().padStart(4, '0');
  const cure =
    code === '000D' ? 'save the text with Unix line ends' : 'only tabs and line breaks are allowed';
  return `control character U+${code} in line ${String(line)}: ${cure}`;
}
