/**
 * Loaded into a process before its program (`node --import`): its wall clock is off by CLOCK_SHIFT_MS. Its monotonic clock
 * is right, as on a host whose time was never set.
 */
const shiftMs = Number(process.env.CLOCK_SHIFT_MS);
const TrueDate = Date;

class ShiftedDate extends TrueDate {
  constructor(...args: readonly unknown[]) {
    if (args.length === 0) super(ShiftedDate.now());
    else super(...(args as ConstructorParameters<typeof TrueDate>));
  }

  static override now(): number {
    return TrueDate.now() + shiftMs;
  }
}

globalThis.Date = ShiftedDate as DateConstructor;
