/** Shifts every `Date` of this process, as a clock that nobody set. Timers are not concerned. */
export function shiftClock(milliseconds: number): void {
  if (milliseconds === 0) return;
  const Real = Date;
  const shifted = (): number => Real.now() + milliseconds;
  globalThis.Date = new Proxy(Real, {
    construct: (target, args: [], newTarget) =>
      Reflect.construct(target, args.length === 0 ? [shifted()] : args, newTarget) as Date,
    apply: () => new Real(shifted()).toString(),
    get: (target, property, receiver) =>
      property === 'now' ? shifted : (Reflect.get(target, property, receiver) as unknown),
  });
}
