"""More than one mask: several objects, candidates, videos, folders, machines."""
