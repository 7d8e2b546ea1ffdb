# tests: unit/ctl
