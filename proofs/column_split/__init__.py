"""The order desk's customer names are split over three releases while clients write."""
