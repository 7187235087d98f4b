'use strict'
window.examples = []
