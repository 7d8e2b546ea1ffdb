# tests: unit/base
