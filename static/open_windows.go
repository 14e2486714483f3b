package static

import "os"

// readOnly opens for reading; pipes have no place among files here.
const readOnly = os.O_RDONLY
