/**
 * A long address list.
 *
 * @module
 */

/** The loopback addresses, and 99 999 networks of 1024 addresses that do not touch each other. */
export function hundredThousandNetworks() {
  const networks = ['127.0.0.0/8']
  for (let number = 0; networks.length < 100_000; number++) {
    networks.push(`${1 + (number >> 13)}.${(number >> 5) & 255}.${(number & 31) * 8}.0/22`)
  }
  return networks
}
