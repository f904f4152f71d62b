import type { Database, Json } from './generated-types.ts';

type Functions = Database['public']['Functions'];

/** A SQL function of schema `public`. */
type RpcFunction = keyof Functions;

/** `jsonb` takes whatever JSON can hold; any argument may be null, and only the function knows whether it refuses that. */
type Argument<Type> = Json extends Type ? unknown : Type | null;

/** The arguments of a function by name; those with a default may be left out. */
export type RpcArguments<Name extends RpcFunction> = {
  [Key in keyof Functions[Name]['Args']]: Argument<Functions[Name]['Args'][Key]>;
};

/** `args` may be left out where the function needs none. */
type CallOf<Name extends RpcFunction> =
  Record<never, never> extends RpcArguments<Name>
    ? [name: Name, args?: RpcArguments<Name>, options?: RpcOptions]
    : [name: Name, args: RpcArguments<Name>, options?: RpcOptions];

export interface RpcOptions {
  signal?: AbortSignal;
  /** The call happens only while this lease holds its job. Default: in any case. */
  lease?: { jobId: string; leaseToken: string };
}

/** A call of a function that the migrations make, with arguments of its names and types. */
export type RpcCall = { [Name in RpcFunction]: CallOf<Name> }[RpcFunction];
