/**
 * Where a configuration takes values from that are not written in it.
 *
 * @module
 */

/** Options of {@link loadConfig} and {@link parseConfig}. */
export interface ConfigOptions {
  /**
   * Environment variables for `$env{NAME}`. A variable that is set to an empty text counts as set.
   *
   * @defaultValue `process.env`
   */
  readonly env?: Readonly<Record<string, string | undefined>> | undefined
  /**
   * System properties for `$sys{name}`. An empty text counts as missing.
   *
   * @defaultValue none
   */
  readonly systemProperties?: Readonly<Record<string, string>> | undefined
  /**
   * Folder that relative paths of a parsed object start from. A file's paths start from its own folder, but key stores are
   * looked for here first.
   *
   * @defaultValue the working directory
   */
  readonly home?: string | undefined
  /**
   * Whether the app brings a user store of its own, so that the configuration need not name one.
   *
   * @defaultValue false
   */
  readonly hasUserStore?: boolean | undefined
}
