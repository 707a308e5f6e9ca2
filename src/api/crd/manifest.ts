import type { Column, CrdKind, CrdVersion, Part } from './kinds.ts';
import { structuralOf, type Structural } from './structural.ts';

const GROUP = 'metallb.io';

/** The CustomResourceDefinition of a kind (apiextensions.k8s.io/v1). */
export function crdOf({ kind, plural, versions }: CrdKind): Structural {
  return {
    apiVersion: 'apiextensions.k8s.io/v1',
    kind: 'CustomResourceDefinition',
    metadata: { name: `${plural}.${GROUP}` },
    spec: {
      group: GROUP,
      names: { kind, listKind: `${kind}List`, plural, singular: kind.toLowerCase() },
      scope: 'Namespaced',
      ...(versions.length > 1 ? { conversion: { strategy: 'None' } } : {}),
      versions: versions.map((version, index) => versionOf(version, index === versions.length - 1)),
    },
  };
}

function versionOf(version: CrdVersion, isStored: boolean): Structural {
  const { name, description, deprecationWarning, columns, spec, status } = version;
  const shape = spec && partOf(spec);
  return {
    ...{ name, served: true, storage: isStored },
    ...(deprecationWarning === undefined ? {} : { deprecated: true, deprecationWarning }),
    ...(columns.length === 0 ? {} : { additionalPrinterColumns: columns.map(columnOf) }),
    subresources: { status: {} },
    schema: {
      openAPIV3Schema: {
        ...{ description, type: 'object' },
        // A spec that nothing is required of may be left out.
        ...(shape?.required === undefined ? {} : { required: ['spec'] }),
        properties: {
          apiVersion: { description: 'Version of the schema of this object.', type: 'string' },
          kind: { description: 'Kind of this object.', type: 'string' },
          metadata: { type: 'object' },
          ...(shape && { spec: shape }),
          status: partOf(status),
        },
      },
    },
  };
}

function partOf({ description, schema }: Part): Structural {
  return schema ? structuralOf(schema, description) : { description, type: 'object' };
}

function columnOf([name, type, jsonPath, priority]: Column): Structural {
  return { name, type, jsonPath, ...(priority === undefined ? {} : { priority }) };
}
