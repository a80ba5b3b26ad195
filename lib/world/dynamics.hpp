#pragma once

#include <array>
#include <vector>

#include "world/forcing.hpp"
#include "world/world_state.hpp"

namespace mosaic::world {

/// The equations: tendencies of a few members side by side. A member's bits do not depend on the others.
class Dynamics {
 public:
  explicit Dynamics(const Parameters& parameters);

  const Parameters& parameters() const { return parameters_; }
  const SpectralSpace& space() const { return space_; }
  const Forcing& forcing() const { return forcing_; }

  /// Between potential vorticity and streamfunction, [rows, 2, levels, members].
  void streamfunction(const double* q, std::size_t members, double* psi) const;
  void potential_vorticity(const double* psi, std::size_t members, double* q) const;

  /// Room that a tendency needs and may be used again.
  struct Workspace {
    std::vector<double> psi, fields, vorticity, zonal, meridional, curl, products;
    kernels::SpectralWorkspace transform;
  };

  enum class Terms { all, advection, drag };
  /// dq/dt = -J(psi, q + planetary), and drag of the lowest level, of `terms`; psi of q.
  void grid_terms(const double* q, const double* psi, std::size_t members, Terms terms, double* tendency,
                  Workspace& workspace) const;
  /// Adds relaxation at members' times [s since 1 January], and diffusion.
  void add_relaxation(const double* psi, const std::vector<double>& seasons, double* tendency) const;
  void add_diffusion(const double* q, std::size_t members, double* tendency) const;

  /// Everything; seasons: [members], see season().
  void tendency(const double* q, const std::vector<double>& seasons, double* tendency,
                Workspace& workspace) const;

 private:
  Parameters parameters_;
  SpectralSpace space_;
  Forcing forcing_;
  using Matrix = std::array<std::array<double, levels>, levels>;
  std::vector<Matrix> psi_from_q_;  ///< [degree]
  std::vector<Matrix> q_from_psi_;
  std::vector<double> damping_;  ///< [degree] [s-1]
};

}  // namespace mosaic::world
