/** An object whose status is ours to say, as it is written; kinds and fields are MetalLB's. */
export interface StatusObject {
  readonly apiVersion: string;
  readonly kind: 'ConfigurationState' | 'ServiceBGPStatus' | 'IPAddressPool';
  readonly metadata: {
    readonly name: string;
    readonly namespace: string;
    readonly labels?: Readonly<Record<string, string>>;
  };
  readonly status: Readonly<Record<string, unknown>>;
}
