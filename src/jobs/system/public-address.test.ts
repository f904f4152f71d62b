import { describe, expect, it } from 'vitest';
import { isPublicAddress } from './public-address.ts';

/** As the host of a URL comes out of its parser. */
const hostOf = (host: string): string => new URL(`https://${host}/`).hostname;

describe('isPublicAddress', () => {
  it.each([
    '8.8.8.8',
    '93.184.216.34',
    '172.15.255.255',
    '172.32.0.0',
    '100.63.255.255',
    '100.128.0.0',
    '223.255.255.255',
    '2606:4700:4700::1111',
    '[2001:4860:4860::8888]',
    '2001:200::1',
    '64:ff9b::8.8.8.8',
  ])('takes %s', (address) => {
    expect(isPublicAddress(address)).toBe(true);
  });

  it.each([
    '0.0.0.0',
    '10.0.0.1',
    '100.64.0.1',
    '127.0.0.1',
    '127.255.255.254',
    '169.254.169.254',
    '172.16.0.1',
    '172.31.255.255',
    '192.0.0.170',
    '192.0.2.1',
    '192.168.1.1',
    '198.18.0.1',
    '198.51.100.7',
    '203.0.113.7',
    '224.0.0.1',
    '255.255.255.255',
    '::',
    '::1',
    '0:0:0:0:0:0:0:1',
    '::ffff:127.0.0.1',
    '::ffff:8.8.8.8',
    '::127.0.0.1',
    '64:ff9b::127.0.0.1',
    '64:ff9b::a9fe:a9fe',
    'fc00::1',
    'fd12:3456::1',
    'fe80::1',
    'fe80::1%eth0',
    'fec0::1',
    'ff02::1',
    '2001::1',
    '2001:db8::1',
    '2002:7f00:1::1',
    '3fff::1',
    'localhost',
    'example.com',
    '',
    '1.2.3',
    '[::1',
  ])('refuses %j', (address) => {
    expect(isPublicAddress(address)).toBe(false);
  });

  it.each([
    '2130706433',
    '0x7f000001',
    '0x7f.1',
    '127.1',
    '0177.0.0.1',
    '017700000001',
    '２１３０７０６４３３',
    '127。0。0。1',
    '169.254.43518',
    '[::ffff:7f00:1]',
    '[0:0:0:0:0:ffff:a9fe:a9fe]',
  ])('refuses what %s becomes in a URL', (host) => {
    expect(isPublicAddress(hostOf(host))).toBe(false);
  });

  /** First and last address of each block that IANA's registry does not call globally reachable. */
  const special = [
    ['0.0.0.0', '0.255.255.255'],
    ['10.0.0.0', '10.255.255.255'],
    ['100.64.0.0', '100.127.255.255'],
    ['127.0.0.0', '127.255.255.255'],
    ['169.254.0.0', '169.254.255.255'],
    ['172.16.0.0', '172.31.255.255'],
    ['192.0.0.0', '192.0.0.255'],
    ['192.0.2.0', '192.0.2.255'],
    ['192.88.99.0', '192.88.99.255'],
    ['192.168.0.0', '192.168.255.255'],
    ['198.18.0.0', '198.19.255.255'],
    ['198.51.100.0', '198.51.100.255'],
    ['203.0.113.0', '203.0.113.255'],
    ['224.0.0.0', '239.255.255.255'],
    ['240.0.0.0', '255.255.255.255'],
  ].flat();

  it.each(special)('refuses %s however it is written', (address) => {
    const bytes = address.split('.').map(Number);
    const number = bytes.reduce((sum, byte) => sum * 256 + byte, 0);
    const octal = bytes.map((byte) => `0${byte.toString(8)}`).join('.');
    const hex = bytes.map((byte) => `0x${byte.toString(16)}`).join('.');
    for (const host of [address, String(number), `0x${number.toString(16)}`, octal, hex, `${address}.`])
      expect([host, isPublicAddress(hostOf(host))]).toEqual([host, false]);
    for (const carrier of ['::ffff:', '::ffff:0:', '::', '64:ff9b::', '64:ff9b:1::', 'fe80::5efe:'])
      expect([carrier, isPublicAddress(hostOf(`[${carrier}${address}]`))]).toEqual([carrier, false]);
  });
});
