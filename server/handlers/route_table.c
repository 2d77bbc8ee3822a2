// SPDX-License-Identifier: MIT
#include "server/handlers/routes.def"
