/** What parts of a program in the documentation take from the rest of it: the globals of their type-check. */

import type { RequestHandler, Router } from 'express'
import type * as middleware from 'sallyport/middleware'
import type { TestSecurity } from 'sallyport/testing'

declare global {
  var app: import('express').Express
  var security: TestSecurity
  var server: import('node:http').Server
  var desk: Router
  var express: typeof import('express')
  var request: typeof import('supertest')
  var alice: Record<string, string>
  var base: string
  var core: middleware.AuthCore
  var users: import('sallyport').UserStore
  var keys: middleware.KeyRing
  var Server: typeof import('socket.io').Server
  var bearerAuthentication: typeof middleware.bearerAuthentication
  var errorResponses: typeof middleware.errorResponses
  var portalSession: typeof middleware.portalSession
  var it: typeof import('vitest').it
  var expect: typeof import('vitest').expect
  var routes: Router
  var apiRoutes: Router
  var consoleRoutes: Router
  var managementRoutes: Router
  var shopRoutes: Router
  var deskRoutes: Router
  var consoleApp: RequestHandler
  var publisherApp: RequestHandler
  var shopApp: RequestHandler
  var customerSignIn: RequestHandler
  var requestLogger: RequestHandler
  var findUser: (subject: string) => object
  var MyStore: new (options: object) => import('sallyport').TokenStore
}
