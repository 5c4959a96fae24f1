import { IncomingMessage, ServerResponse } from 'node:http'
import { Socket } from 'node:net'
import type { Response } from 'express'
import { expect, it } from 'vitest'
import { clientGone, isOver } from '../../lib/http/answer.js'

const newResponse = (): Response => new ServerResponse(new IncomingMessage(new Socket())) as unknown as Response

it('a response that is closed before its answer says that the client has gone', () => {
  const response = newResponse()
  const signal = clientGone(response)
  expect([signal.aborted, isOver(response)]).toEqual([false, false])
  response.emit('close')
  expect(signal.aborted).toBe(true)
})

it('one that is closed after its answer does not', () => {
  const response = newResponse()
  const signal = clientGone(response)
  response.end()
  response.emit('close')
  expect([signal.aborted, isOver(response)]).toEqual([false, true])
})

it('one that was destroyed before anybody looked says so at once', () => {
  const response = newResponse()
  response.destroy()
  expect([clientGone(response).aborted, isOver(response)]).toEqual([true, true])
})
