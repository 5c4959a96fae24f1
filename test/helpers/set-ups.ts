import express5 from 'express'
import { expressVersions } from './express-versions.js'

/** One way of running an Express app behind the front. */
export interface SetUp {
  readonly name: string
  readonly express: typeof express5
  /** `security.createServer(app)`, else `app.listen()`. */
  readonly usesCreateServer: boolean
  /** Whether the app has an error handler of its own. */
  readonly hasErrorHandler: boolean
}

/** Both versions of Express, on both servers, with and without an error handler of the app's own. */
export const allSetUps: readonly SetUp[] = expressVersions.flatMap(([version, express]) =>
  [true, false].flatMap((usesCreateServer) =>
    [true, false].map((hasErrorHandler) => ({
      name: [
        version,
        usesCreateServer ? 'createServer' : 'app.listen',
        hasErrorHandler ? 'with an error handler' : 'without an error handler',
      ].join(', '),
      express,
      usesCreateServer,
      hasErrorHandler,
    })),
  ),
)

/** Both versions of Express, on both servers. */
export const serverSetUps: readonly SetUp[] = allSetUps.filter(({ hasErrorHandler }) => !hasErrorHandler)

/** Each two of version, server and error handler once: for what no three of them can change together. */
export const pairSetUps: readonly SetUp[] = allSetUps.filter(
  ({ express, usesCreateServer, hasErrorHandler }) => hasErrorHandler === ((express === express5) === usesCreateServer),
)

/** Each version of Express and each server once: for what their combination cannot change. */
export const twoSetUps: readonly SetUp[] = serverSetUps.filter(
  ({ express, usesCreateServer }) => (express === express5) === usesCreateServer,
)

/** The set-up for what no version of Express and no server can change. */
export const oneSetUp: SetUp = serverSetUps[0]!
