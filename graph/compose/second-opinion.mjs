// Composes ../sdl/*.graphql with another implementation: what two composers accept, a router takes.
import { composeServices } from '@apollo/composition'
import { fail, subgraphs } from './subgraphs.mjs'

const { errors } = composeServices(subgraphs())
if (errors?.length) fail(errors.map((error) => error.message))
console.log('composed')
