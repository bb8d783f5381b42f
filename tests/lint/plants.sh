#!/bin/sh
# plants.sh - each planted fault still has the line that it changes
# SPDX-License-Identifier: BSD-2-Clause
exec "${TAMIS_SOURCE:-$(dirname "$0")/../..}"/tests/plants/run --look
