/**
 * Blocks of IPv4 that are not global unicast: this network, private, shared, loopback, link-local (with the clouds'
 * metadata service), protocol assignments, documentation, 6to4 relays, benchmarks, multicast, reserved.
 * https://www.iana.org/assignments/iana-ipv4-special-registry/
 */
const closedV4: readonly [first: string, bits: number][] = [
  ['0.0.0.0', 8],
  ['10.0.0.0', 8],
  ['100.64.0.0', 10],
  ['127.0.0.0', 8],
  ['169.254.0.0', 16],
  ['172.16.0.0', 12],
  ['192.0.0.0', 24],
  ['192.0.2.0', 24],
  ['192.88.99.0', 24],
  ['192.168.0.0', 16],
  ['198.18.0.0', 15],
  ['198.51.100.0', 24],
  ['203.0.113.0', 24],
  ['224.0.0.0', 4],
  ['240.0.0.0', 4],
];

/**
 * Whether an IP address is one of the public internet. What cannot be read as an address is not.
 * @param address - as a resolver writes it, or as the host of a `URL`, which has turned decimal, octal and hexadecimal
 * spellings into the usual one
 */
export function isPublicAddress(address: string): boolean {
  if (/^\d+(\.\d+){3}$/.test(address)) return isPublicV4(toNumber(address));
  const groups = groupsOf(address.replace(/^\[|\]$/g, ''));
  return groups !== null && isPublicV6(groups);
}

function isPublicV4(address: number): boolean {
  return !closedV4.some(([first, bits]) => {
    const size = 2 ** (32 - bits);
    return Math.floor(address / size) === toNumber(first) / size;
  });
}

/**
 * Only 2000::/3 is global unicast; in it, 2001::/23 (Teredo and others), documentation and 6to4 are not. NAT64 counts as
 * the IPv4 address that it carries. https://www.iana.org/assignments/iana-ipv6-special-registry/
 */
function isPublicV6([a = 0, b = 0, ...rest]: readonly number[]): boolean {
  if (a === 0x64 && b === 0xff9b && rest.slice(0, 4).every((group) => group === 0))
    return isPublicV4((rest[4] ?? 0) * 0x10000 + (rest[5] ?? 0));
  if (a < 0x2000 || a > 0x3fff) return false;
  return !(a === 0x2002 || (a === 0x2001 && (b < 0x200 || b === 0xdb8)) || (a === 0x3fff && b < 0x1000));
}

function toNumber(dotted: string): number {
  return dotted.split('.').reduce((number, part) => number * 256 + Number(part), 0);
}

/** The eight groups of an IPv6 address in any spelling; null for what is none. A zone (`%eth0`) makes it none. */
function groupsOf(address: string): number[] | null {
  if (!URL.canParse(`http://[${address}]/`)) return null;
  const [head = '', tail] = new URL(`http://[${address}]/`).hostname.slice(1, -1).split('::');
  const groups = (text: string): number[] =>
    text === '' ? [] : text.split(':').map((group) => Number.parseInt(group, 16));
  if (tail === undefined) return groups(head);
  const [left, right] = [groups(head), groups(tail)];
  return [...left, ...new Array<number>(8 - left.length - right.length).fill(0), ...right];
}
